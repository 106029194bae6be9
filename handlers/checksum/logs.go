package main

import (
	"context"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Lambda's names of the levels; Go knows the four in the middle.
var levels = map[string]slog.Level{
	"TRACE": slog.LevelDebug,
	"DEBUG": slog.LevelDebug,
	"INFO":  slog.LevelInfo,
	"WARN":  slog.LevelWarn,
	"ERROR": slog.LevelError,
	"FATAL": slog.LevelError + 4,
}

var output io.Writer = os.Stdout // a test reads what is written

var (
	correlationID = regexp.MustCompile(`^[A-Za-z0-9._:=-]{1,128}$`)
	traceRoot     = regexp.MustCompile(`(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)`)
	begun         atomic.Bool // whether this environment has had an invocation
)

// isColdStart is whether this is the first invocation of its environment: ask once in each.
func isColdStart() bool { return !begun.Swap(true) }

// logger writes one JSON object per line in the shape of common/logs.py. Its lines carry the
// request id of this invocation, the id that its caller gave (else the request id once more), and
// the trace's where there is one.
func logger(ctx context.Context, given string, cold bool) *slog.Logger {
	level, known := levels[strings.ToUpper(os.Getenv("LOG_LEVEL"))]
	if !known {
		level = slog.LevelInfo
	}
	service, set := os.LookupEnv("SERVICE_NAME")
	if !set {
		service = "sandpiper"
	}
	requestID := ""
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		requestID = invocation.AwsRequestID
	}
	if !correlationID.MatchString(given) {
		given = requestID
	}
	if isSampled(given) {
		level = slog.LevelDebug
	}
	handler := slog.NewJSONHandler(output, &slog.HandlerOptions{Level: level, ReplaceAttr: renamed})
	lines := slog.New(handler).With(
		"service", service,
		"function", os.Getenv("AWS_LAMBDA_FUNCTION_NAME"),
		"version", os.Getenv("AWS_LAMBDA_FUNCTION_VERSION"),
		"requestId", requestID,
		"correlation_id", given,
	)
	if root := traceRoot.FindStringSubmatch(os.Getenv("_X_AMZN_TRACE_ID")); root != nil {
		lines = lines.With("xray_trace_id", root[1])
	}
	return lines.With("cold_start", cold)
}

// isSampled is whether all of this request is logged: LOG_SAMPLE_RATE (0 to 1) is the share. Its id
// decides, so that all functions log the same requests.
func isSampled(correlationID string) bool {
	rate, err := strconv.ParseFloat(os.Getenv("LOG_SAMPLE_RATE"), 64)
	return err == nil && float64(crc32.ChecksumIEEE([]byte(correlationID))) < rate*(1<<32)
}

func renamed(_ []string, attribute slog.Attr) slog.Attr {
	switch attribute.Key {
	case slog.TimeKey:
		moment := attribute.Value.Time().UTC()
		return slog.String("timestamp", moment.Format("2006-01-02T15:04:05.000Z"))
	case slog.MessageKey:
		attribute.Key = "message"
	}
	return attribute
}

func milliseconds(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()/100) / 10
}

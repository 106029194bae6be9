package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
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

// logger writes one JSON object per line in the shape of common/logs.py. Its lines carry the
// request id of this invocation.
func logger(ctx context.Context) *slog.Logger {
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
	handler := slog.NewJSONHandler(output, &slog.HandlerOptions{Level: level, ReplaceAttr: renamed})
	return slog.New(handler).With(
		"service", service,
		"function", os.Getenv("AWS_LAMBDA_FUNCTION_NAME"),
		"requestId", requestID,
	)
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

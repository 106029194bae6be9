package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

type vector struct {
	Name   string
	Event  json.RawMessage
	Answer map[string]any
	Error  string
}

// vectors are the ones that every runtime's checksum function is held to.
func vectors(t *testing.T) []vector {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "tests", "events", "checksum_vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// invoked is the answer as a caller sees it, the error, and the log lines.
func invoked(t *testing.T, event string) (map[string]any, error, []map[string]any) {
	t.Helper()
	var written bytes.Buffer
	output = &written
	ctx := lambdacontext.NewContext(
		context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"},
	)
	answer, failure := handle(ctx, json.RawMessage(event))
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	var seen map[string]any
	if err := json.Unmarshal(text, &seen); err != nil {
		t.Fatal(err)
	}
	var lines []map[string]any
	for _, text := range strings.Split(strings.TrimSpace(written.String()), "\n") {
		var line map[string]any
		if text != "" && json.Unmarshal([]byte(text), &line) != nil {
			t.Fatalf("not JSON: %s", text)
		}
		if line != nil {
			lines = append(lines, line)
		}
	}
	return seen, failure, lines
}

func TestEveryVectorIsAnsweredAsInEveryOtherRuntime(t *testing.T) {
	for _, vector := range vectors(t) {
		t.Run(vector.Name, func(t *testing.T) {
			answer, err, _ := invoked(t, string(vector.Event))
			if vector.Error == "" && (err != nil || !reflect.DeepEqual(answer, vector.Answer)) {
				t.Fatalf("got %v, %v; want %v", answer, err, vector.Answer)
			}
			var refused InvalidInput
			if vector.Error != "" && (!errors.As(err, &refused) || err.Error() != vector.Error) {
				t.Fatalf("got %v, %v; want the error %q", answer, err, vector.Error)
			}
		})
	}
}

func TestALineNamesWhatAndWhereAndNothingOfTheContent(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "sandpiper-dev-checksum")
	t.Setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")
	t.Setenv("LOG_LEVEL", "INFO")
	begun.Store(true)
	_, _, lines := invoked(t, `{"content": "c2VjcmV0", "algorithms": ["crc32c"]}`)
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	line := lines[0]
	if stamp, _ := line["timestamp"].(string); len(stamp) != len("2026-01-31T12:00:00.000Z") {
		t.Fatalf("timestamp %q", stamp)
	}
	if spent, ok := line["milliseconds"].(float64); !ok || spent < 0 {
		t.Fatalf("milliseconds %v", line["milliseconds"])
	}
	delete(line, "timestamp")
	delete(line, "milliseconds")
	want := map[string]any{
		"level":          "INFO",
		"message":        "checksums computed",
		"service":        "sandpiper",
		"function":       "sandpiper-dev-checksum",
		"version":        "7",
		"requestId":      "request-1",
		"correlation_id": "request-1",
		"cold_start":     false,
		"size":           6.0,
	}
	if !reflect.DeepEqual(line, want) {
		t.Fatalf("got %v", line)
	}
}

func TestARefusalIsLoggedAtWarnWithItsReason(t *testing.T) {
	_, _, lines := invoked(t, `{"content": "not base64, and private"}`)
	if len(lines) != 1 || lines[0]["level"] != "WARN" || lines[0]["reason"] != "content: must be base64 text" {
		t.Fatalf("got %v", lines)
	}
}

func TestALineCarriesWhatItsCallerBelongsTo(t *testing.T) {
	for given, want := range map[string]string{
		`"a.B_c:1-2="`: "a.B_c:1-2=", `"a b"`: "request-1", `""`: "request-1", `7`: "request-1", `null`: "request-1",
	} {
		_, _, lines := invoked(t, `{"content": "", "correlationId": `+given+`}`)
		if len(lines) != 1 || lines[0]["correlation_id"] != want {
			t.Fatalf("%s: got %v", given, lines)
		}
	}
}

func TestALineNamesItsTraceWhereThereIsOne(t *testing.T) {
	const root = "1-6923a1b2-0123456789abcdef01234567"
	for header, want := range map[string]any{
		"Root=" + root + ";Parent=53995c3f42cd8ad8;Sampled=0": root, "Self=1-x;Root=" + root: root, "Root=canary": nil, "": nil,
	} {
		t.Setenv("_X_AMZN_TRACE_ID", header)
		if _, _, lines := invoked(t, `{"content": ""}`); lines[0]["xray_trace_id"] != want {
			t.Fatalf("%s: got %v", header, lines)
		}
	}
}

func TestOnlyTheFirstInvocationOfAnEnvironmentIsAColdStart(t *testing.T) {
	for first, want := range map[string][]any{`{"content": ""}`: {true, false}, `{"warming": true}`: {false}} {
		begun.Store(false)
		var seen []any
		for _, event := range []string{first, `{"content": ""}`} {
			_, _, lines := invoked(t, event)
			for _, line := range lines {
				seen = append(seen, line["cold_start"])
			}
		}
		if !reflect.DeepEqual(seen, want) {
			t.Fatalf("%s: got %v", first, seen)
		}
	}
}

func TestTheLevelOfTheEnvironmentCounts(t *testing.T) {
	t.Setenv("LOG_LEVEL", "warn")
	if _, _, lines := invoked(t, `{"content": ""}`); len(lines) != 0 {
		t.Fatalf("got %v", lines)
	}
}

func TestTheShareOfRequestsThatIsSampledIsLoggedWhateverTheLevel(t *testing.T) {
	t.Setenv("LOG_LEVEL", "ERROR")
	for rate, want := range map[string]int{"": 0, "0": 0, "0.9": 0, "0.91": 1, "1": 1, "x": 0} {
		t.Setenv("LOG_SAMPLE_RATE", rate)
		if _, _, lines := invoked(t, `{"content": "", "correlationId": "a"}`); len(lines) != want {
			t.Fatalf("%s: got %v", rate, lines)
		}
	}
}

func TestAWarmingEventSaysNothing(t *testing.T) {
	answer, err, lines := invoked(t, `{"warming": true}`)
	if err != nil || !reflect.DeepEqual(answer, map[string]any{"warmed": true}) || len(lines) != 0 {
		t.Fatalf("got %v, %v, %v", answer, err, lines)
	}
}

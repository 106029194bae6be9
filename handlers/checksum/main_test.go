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
	t.Setenv("LOG_LEVEL", "INFO")
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
		"level":     "INFO",
		"message":   "checksums computed",
		"service":   "sandpiper",
		"function":  "sandpiper-dev-checksum",
		"requestId": "request-1",
		"size":      6.0,
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

func TestTheLevelOfTheEnvironmentCounts(t *testing.T) {
	t.Setenv("LOG_LEVEL", "warn")
	if _, _, lines := invoked(t, `{"content": ""}`); len(lines) != 0 {
		t.Fatalf("got %v", lines)
	}
}

func TestAWarmingEventSaysNothing(t *testing.T) {
	answer, err, lines := invoked(t, `{"warming": true}`)
	if err != nil || !reflect.DeepEqual(answer, map[string]any{"warmed": true}) || len(lines) != 0 {
		t.Fatalf("got %v, %v, %v", answer, err, lines)
	}
}

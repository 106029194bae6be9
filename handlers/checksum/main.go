// Command checksum is a Lambda function that answers the checksums of bytes, written as S3 writes
// its additional checksums: base64 of the digest, the most significant byte first.
//
//	{"content": "aGVsbG8=", "algorithms": ["crc32c"]}  ->  {"size": 5, "crc32c": "mnG7TA=="}
package main

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"hash"
	"hash/crc32"
	"io"
	"log"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

var algorithms = map[string]func() hash.Hash{
	"sha256": sha256.New,
	"sha512": sha512.New,
	"crc32c": func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
}

// InvalidInput says which part of the event is wrong, and repeats nothing of it. Its name is the
// error's type in Lambda's answer.
type InvalidInput struct{ detail string }

func (e InvalidInput) Error() string { return e.detail }

type request struct {
	Warming       json.RawMessage `json:"warming"`
	Content       json.RawMessage `json:"content"`
	Algorithms    json.RawMessage `json:"algorithms"`
	CorrelationID json.RawMessage `json:"correlationId"`
}

// handle answers `size`, in bytes, and one member per algorithm asked for; all of them when the
// event names none. A `correlationId` of the event is in the log lines.
func handle(ctx context.Context, event json.RawMessage) (any, error) {
	cold := isColdStart()
	var asked request
	if json.Unmarshal(event, &asked) != nil || string(event) == "null" {
		return nil, InvalidInput{"the event must be a JSON object"}
	}
	if string(asked.Warming) == "true" {
		return map[string]bool{"warmed": true}, nil
	}
	var given string
	if json.Unmarshal(asked.CorrelationID, &given) != nil {
		given = "" // none, or no text
	}
	log := logger(ctx, given, cold)
	started := time.Now()
	answer, err := checksums(asked)
	if err != nil {
		log.Warn("input refused", "reason", err.Error())
		return nil, err
	}
	log.Info("checksums computed", "size", answer["size"], "milliseconds", milliseconds(started))
	return answer, nil
}

func checksums(asked request) (map[string]any, error) {
	content, err := decoded(asked.Content)
	if err != nil {
		return nil, err
	}
	names, err := named(asked.Algorithms)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"size": len(content)}
	for _, name := range names {
		digest := algorithms[name]()
		digest.Write(content)
		answer[name] = base64.StdEncoding.EncodeToString(digest.Sum(nil))
	}
	return answer, nil
}

func decoded(raw json.RawMessage) ([]byte, error) {
	var text *string
	if json.Unmarshal(raw, &text) == nil && text != nil {
		content, err := base64.StdEncoding.DecodeString(*text)
		// Encoding once more refuses the other spellings that decoders allow: line breaks, spare bits.
		if err == nil && base64.StdEncoding.EncodeToString(content) == *text {
			return content, nil
		}
	}
	return nil, InvalidInput{"content: must be base64 text"}
}

func named(raw json.RawMessage) ([]string, error) {
	if raw == nil {
		return []string{"sha256", "sha512", "crc32c"}, nil
	}
	var names []string
	err := json.Unmarshal(raw, &names)
	for _, name := range names {
		if algorithms[name] == nil {
			names = nil
			break
		}
	}
	if err != nil || len(names) == 0 {
		return nil, InvalidInput{"algorithms: must be a list of sha256, sha512 or crc32c"}
	}
	return names, nil
}

func main() {
	// The client writes each error once more, as plain text; it is in the answer and in a line of its own.
	log.SetOutput(io.Discard)
	lambda.Start(handle)
}

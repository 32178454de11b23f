package wire

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// exchange is one request of a recording with its answer.
type exchange struct {
	file, key   string // key is "conn=C n=N"
	path        string // without query
	contentType string
	body        []byte
	status      int
	answerType  string
	answer      string // a text body
	records     [][]byte
}

// String names the exchange in the errors of the tests.
func (x *exchange) String() string { return x.file + " " + x.key }

var recordingItem = regexp.MustCompile(`^@@ (\S+)(?: (conn=\d+ n=\d+))?(.*)$`)

// readRecordings reads all exchanges with the scheduler's and the executor's
// endpoint (see testdata/mesos-recordings/INDEX.md for the format).
func readRecordings(t testing.TB) []*exchange {
	t.Helper()
	files, err := filepath.Glob("testdata/mesos-recordings/*/*.txt")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	var all []*exchange
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		short := strings.TrimPrefix(name, "testdata/mesos-recordings/")
		exchanges, err := parseRecording(short, string(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range exchanges {
			if strings.HasSuffix(x.path, "/api/v1/scheduler") || strings.HasSuffix(x.path, "/api/v1/executor") {
				all = append(all, x)
			}
		}
	}
	return all
}

func parseRecording(file, text string) ([]*exchange, error) {
	var order []*exchange
	byKey := map[string]*exchange{}
	var current *exchange
	answering := false
	for len(text) > 0 {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		m := recordingItem.FindStringSubmatch(line)
		if m == nil {
			current.head(line, answering)
			continue
		}
		if m[2] != "" {
			if byKey[m[2]] == nil {
				byKey[m[2]] = &exchange{file: file, key: m[2]}
				order = append(order, byKey[m[2]])
			}
			current = byKey[m[2]]
		}
		var data []byte
		var err error
		switch m[1] {
		case "request":
			answering = false
		case "response":
			answering = true
		case "body", "record", "request-record":
			if data, text, err = recordedBytes(strings.Fields(m[3]), text); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", file, line, err)
			}
			switch {
			case m[1] == "record":
				current.records = append(current.records, data)
			case m[1] == "body" && answering:
				current.answer = string(data)
			case m[1] == "body":
				current.body = data
			}
			current = &exchange{} // lines up to the next item belong to nobody
		default:
			current = &exchange{}
		}
	}
	return order, nil
}

// head takes what matters from a line of a request's or response's head.
func (x *exchange) head(line string, answering bool) {
	if x == nil || line == "" {
		return
	}
	name, value, _ := strings.Cut(line, ": ")
	fields := strings.Fields(line)
	switch {
	case answering && strings.HasPrefix(line, "HTTP/"):
		x.status, _ = strconv.Atoi(fields[1])
	case answering && name == "Content-Type":
		x.answerType = value
	case !answering && name == "Content-Type":
		x.contentType = value
	case !answering && x.path == "" && len(fields) == 3:
		x.path, _, _ = strings.Cut(fields[1], "?")
	}
}

// recordedBytes reads "text LEN" or "base64 LEN" and the bytes that follow.
func recordedBytes(words []string, text string) (data []byte, rest string, err error) {
	for i, w := range words {
		if w != "text" && w != "base64" {
			continue
		}
		n, err := strconv.Atoi(words[i+1])
		if err != nil {
			return nil, text, err
		}
		if w == "text" {
			if n > len(text) {
				return nil, text, fmt.Errorf("%d bytes announced, %d left", n, len(text))
			}
			return []byte(text[:n]), strings.TrimPrefix(text[n:], "\n"), nil
		}
		var b strings.Builder
		for base64.StdEncoding.DecodedLen(b.Len())-2 < n {
			line, after, ok := strings.Cut(text, "\n")
			if !ok || strings.HasPrefix(line, "@@") {
				break
			}
			b.WriteString(line)
			text = after
		}
		data, err = base64.StdEncoding.DecodeString(b.String())
		if err == nil && len(data) != n {
			err = fmt.Errorf("%d bytes announced, %d found", n, len(data))
		}
		return data, text, err
	}
	return nil, text, nil
}

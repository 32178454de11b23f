package master

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// recordings are exchanges with a real Mesos 1.12: sdk/wire keeps those of the
// scheduler endpoint, this package the rest.
func recordings(t *testing.T) (files []string) {
	t.Helper()
	for _, dir := range []string{"../../sdk/wire/testdata/mesos-recordings/http", "testdata/mesos-http"} {
		some, err := filepath.Glob(filepath.Join(dir, "*.txt"))
		if err != nil || len(some) == 0 {
			t.Fatalf("no recordings in %s, %v", dir, err)
		}
		files = append(files, some...)
	}
	return files
}

// differs lists what is answered otherwise than by Mesos, each with its reason.
func differs() map[string]string {
	return map[string]string{
		"415-content-type-charset.txt":  "a charset parameter is understood; nobody gains from its refusal",
		"415-content-type-case.txt":     "names of media types are not case-sensitive (RFC 9110)",
		"415-content-type-recordio.txt": "a sequence of calls is Proffer's own; a body that is none is 400",
		"gzip-state.txt":                "old endpoint, comes later",
		"pipelined.txt":                 "its Host is \"x\", which is not a name of this master",
		"bad-request-line.txt":          "Go's server says 400 where Mesos hangs up",
	}
}

// recorded is the first request of a file and the status of its answer.
type recorded struct {
	to     string
	raw    []byte
	status int
}

// Every recorded request to a master gets the status that the real one gave.
func TestAnswersRecordedRequestsWithTheStatusOfMesos(t *testing.T) {
	files := recordings(t)
	r := start(t, false)
	replayed := 0
	for _, file := range files {
		name := filepath.Base(file)
		rec, ok := parseRecording(t, file)
		if !ok || rec.to != "master" || differs()[name] != "" {
			continue
		}
		replayed++
		t.Run(name, func(t *testing.T) {
			if got := rawStatus(t, r.Addr(), rec.raw); got != rec.status {
				t.Errorf("answered %d, Mesos %d, to\n%s", got, rec.status, rec.raw)
			}
		})
	}
	if replayed < 70 {
		t.Errorf("only %d recordings were replayed", replayed)
	}
}

func rawStatus(t *testing.T, addr string, raw []byte) int {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Write(raw); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusContinue {
			return resp.StatusCode
		}
	}
}

// parseRecording reads one file; INDEX.md describes the format.
func parseRecording(t *testing.T, file string) (recorded, bool) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?s)@@ request conn=\d+ n=\d+ to=(\w+) t=[\d.]+( chunked)?\n(.*?)@@ body (text|base64|none|raw) ?(\d*)\n`).FindSubmatchIndex(data)
	status := regexp.MustCompile(`@@ response [^\n]*\nHTTP/1\.[01] (\d+)`).FindSubmatch(data)
	if m == nil || status == nil {
		return recorded{}, false
	}
	part := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return string(data[m[2*i]:m[2*i+1]])
	}
	var body []byte
	n, _ := strconv.Atoi(part(5))
	switch part(4) {
	case "text":
		body = data[m[1] : m[1]+n]
	case "base64":
		text, _, _ := strings.Cut(string(data[m[1]:]), "@@")
		if body, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(strings.TrimSpace(text), "\n", "")); err != nil || len(body) != n {
			t.Fatalf("%s: body of %d bytes, %v", file, len(body), err)
		}
	}
	raw := []byte(strings.ReplaceAll(part(3), "\n", "\r\n") + "\r\n")
	if part(2) != "" {
		body = fmt.Appendf(nil, "%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	}
	code, _ := strconv.Atoi(string(status[1]))
	return recorded{to: part(1), raw: append(raw, body...), status: code}, true
}

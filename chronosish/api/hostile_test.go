package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// state is all that requests may change.
func (r *real) state() string {
	return fmt.Sprintf("revision %d, %d keys\n%s", r.revision, len(r.store), r.ask("GET", "jobs", ""))
}

// refuses tells what is wrong with a refusal: it is short, it is JSON with a sentence and the
// name of its status, and nothing of what was asked for is done.
func (r *real) refuses(q *http.Request, status int) error {
	before, store := r.state(), maps.Clone(r.store)
	w := r.send(q)
	var said struct{ Message, Status string }
	switch err := json.Unmarshal(w.Body.Bytes(), &said); {
	case w.Code != status || err != nil || said.Status != http.StatusText(status) || !strings.HasSuffix(said.Message, "."):
		return fmt.Errorf("%d %.300s", w.Code, w.Body)
	case w.Body.Len() > 8<<10 || !utf8.Valid(w.Body.Bytes()) || strings.Contains(said.Message, "\x00"):
		return fmt.Errorf("an answer of %d bytes: %.300q", w.Body.Len(), w.Body)
	case r.state() != before || !maps.EqualFunc(r.store, store, func(x, y []byte) bool { return string(x) == string(y) }):
		return fmt.Errorf("%s is there", r.state())
	}
	return nil
}

// many writes n elements of a list.
func many(n int, element func(i int) string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(element(i))
	}
	return "[" + b.String() + "]"
}

// hostileBodies are definitions that nobody honest sends, by what is wrong with them.
func hostileBodies() map[string]string {
	with := func(fields string) string { return `{"name":"h","command":"x",` + fields + `}` }
	quoted := func(s string) string { return `"` + s + `"` }
	long := strings.Repeat("x", 600<<10)
	return map[string]string{
		"nothing": "", "space": " \n", "half": `{"name":"h"`, "a comma more": with(`"retries":1,`), "no JSON": "name: h", "a mark of the byte order": "\ufeff" + with(`"retries":1`),
		"UTF-16": "\xff\xfe{\x00}\x00", "no UTF-8": with("\"owner\":\"\xc3\x28\""), "no UTF-8 as a name": "{\"name\":\"\xff\",\"command\":\"x\"}", "NaN": with(`"cpus":NaN`), "two bodies": with(`"retries":1`) + with(`"retries":1`),
		"a deep list": strings.Repeat("[", 1<<18), "a deep object": strings.Repeat(`{"a":`, 1<<17), "deep and whole": with(`"fetch":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000)),
		"twice": with(`"command":"y"`), "twice inside": with(`"environmentVariables":[{"name":"A","value":"1","value":"2"}]`), "twice, escaped": with(`"comm\u0061nd":"y"`), "in capitals": with(`"Command":"y"`),
		"1e400": with(`"cpus":1e400`), "1e400 as a text": with(`"mem":"1e400"`), "NaN as a text": with(`"cpus":"NaN"`), "infinite": with(`"disk":"Infinity"`), "negative": with(`"cpus":-0.5`), "a tiny part": with(`"cpus":1e-300`),
		"retries beyond": with(`"retries":99999999999999999999`), "half a retry": with(`"retries":0.5`), "many digits": with(`"cpus":` + strings.Repeat("9", 1<<20)), "an exponent beyond": with(`"mem":1e` + strings.Repeat("9", 1000)),
		"NUL in the name": `{"name":"h\u0000","command":"x"}`, "a line in the name": `{"name":"h\n","command":"x"}`, "a bell in the name": `{"name":"\u0007","command":"x"}`, "a name of another script": `{"name":"һ","command":"x"}`,
		"a path": `{"name":"../a","command":"x"}`, "a task's id": `{"name":"ct:1:0:a:","command":"x"}`, "a long name": `{"name":` + quoted(long) + `,"command":"x"}`,
		"NUL in the command": `{"name":"h","command":"x\u0000y"}`, "NUL in the owner": with(`"owner":"\u0000"`), "NUL in a variable": with(`"environmentVariables":[{"name":"A","value":"\u0000"}]`), "NUL in a variable's name": with(`"environmentVariables":[{"name":"A\u0000"}]`),
		"NUL in a path": with(`"fetch":[{"uri":"/x","output_file":"a\u0000"}]`), "a path above": with(`"fetch":[{"uri":"/x","output_file":"a/../../b"}]`), "NUL in an address": with(`"fetch":[{"uri":"http://h/\u0000"}]`),
		"a large command": `{"name":"h","command":` + quoted(long) + `}`, "a large schedule": with(`"schedule":` + quoted(long)), "a large zone": with(`"scheduleTimeZone":` + quoted(long)), "a large length": with(`"epsilon":` + quoted("PT"+strings.Repeat("1", 1<<20)+"S")),
		"a zone that is a file": with(`"scheduleTimeZone":"../../etc/passwd"`), "an expression that explodes": with(`"constraints":[["rack","LIKE","((x{100}){100}){100}"]]`), "an unknown field without end": with(quoted(long) + `:1`),
		"100,000 constraints": with(`"constraints":` + many(100_000, func(int) string { return `["rack","NEAR","x"]` })),
		"100,000 variables":   with(`"environmentVariables":` + many(100_000, func(i int) string { return fmt.Sprintf(`{"name":"A%d"}`, i) })),
		"100,000 fields":      "{" + strings.Trim(many(100_000, func(i int) string { return fmt.Sprintf(`"f%d":%d`, i, i) }), "[]") + "}",
		"a list of lists":     with(`"arguments":` + many(100_000, func(int) string { return `[]` })),
	}
}

// TestHostileBodies: each is refused in a sentence, and nothing of it is stored.
func TestHostileBodies(t *testing.T) {
	r := family(t, "a", "b: a")
	bodies := hostileBodies()
	for _, base := range bases()[:1] { // what reads a body does not know where it came to
		for what, body := range bodies {
			if err := r.refuses(httptest.NewRequest("POST", base+"/iso8601", strings.NewReader(body)), 400); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if len(body) > 1<<12 {
				continue // the same is read once, as the race detector takes long for it
			}
			if err := r.refuses(httptest.NewRequest("PATCH", "/v2/jobs/a", strings.NewReader(body)), 400); err != nil {
				t.Errorf("%s by PATCH: %v", what, err)
			}
		}
		parents := map[string]func(int) string{
			"100,000 parents that are not there": func(i int) string { return fmt.Sprintf(`"p%d"`, i) },
			"100,000 names that are none":        func(i int) string { return fmt.Sprintf(`"p/%d"`, i) },
			"itself, and 100,000 times":          func(int) string { return `"h"` },
			"its child, and 100,000 times":       func(int) string { return `"b"` },
		}
		for what, element := range parents {
			name := map[bool]string{true: "a", false: "h"}[strings.HasPrefix(what, "its child")]
			body := fmt.Sprintf(`{"name":%q,"command":"x","parents":%s}`, name, many(100_000, element))
			if err := r.refuses(httptest.NewRequest("POST", base+"/dependency", strings.NewReader(body)), 400); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		large := `{"name":"h","command":"` + strings.Repeat("x", 5<<20) + `"}`
		if err := r.refuses(httptest.NewRequest("POST", base+"/iso8601", strings.NewReader(large)), 413); err != nil {
			t.Error(err)
		}
		for _, body := range []io.Reader{iotest.ErrReader(errors.New("the client is gone")), iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(bodies["half"])))} {
			if err := r.refuses(httptest.NewRequest("PUT", base+"/iso8601", body), 400); err != nil {
				t.Error(err)
			}
		}
	}
	r.does("POST", "dependency", `{"name":"c","command":"x","parents":`+many(100_000, func(i int) string { return fmt.Sprintf(`"%c"`, 'a'+i%2) })+`}`)
	r.is("of many that are two", strings.Join(r.shown("c").Parents, " "), "a b")
}

// TestHostileAddresses: names of jobs come as clients write them, and lead nowhere else.
func TestHostileAddresses(t *testing.T) {
	r := family(t, "a")
	for path, status := range map[string]int{
		"/job/ct%3A1%3A0%3Aa%3A": 400, "/job/%00": 400, "/job/a%00": 400, "/job/a%0A": 400, "/job/%FF": 400, "/job/%2e%2e": 400, "/job/a%252F": 400, "/job/a%20": 400, "/job/A": 400,
		"/job/" + strings.Repeat("x", 1<<16): 400, "/job/a%2Fb": 404, "/job/%2Fa%2Fb": 404, "/job/..%2F..%2Fmetrics": 404, "/job": 404, "/job/": 404, "/%2e%2e/jobs": 404, "/jobs%00": 404,
		"/job/stat/ct%3A1": 400, "/jobs/search?limit=1e3": 400, "/jobs/search?limit=0x10": 400, "/jobs/search?limit=" + strings.Repeat("9", 1000): 400, "/jobs/search?offset=+1": 400,
	} {
		for _, base := range bases() {
			if err := r.refuses(httptest.NewRequest("GET", base+path, nil), status); err != nil {
				t.Errorf("%.80s: %v", path, err)
			}
		}
	}
	for method, paths := range map[string][]string{"PUT": {"/job/ct%3A1", "/job/a%00", "/job/%61%0A", "/job/a?arguments=%00"}, "DELETE": {"/job/ct%3A1", "/job/%2e", "/task/kill/ct%3A1", "/job/task/kill/%FF"}} {
		for _, path := range paths {
			if err := r.refuses(httptest.NewRequest(method, "/scheduler"+path, nil), 400); err != nil {
				t.Errorf("%s %s: %v", method, path, err)
			}
		}
	}
	long := httptest.NewRequest("PUT", "/scheduler/job/a", nil)
	long.URL.RawQuery = url.Values{"arguments": {strings.Repeat("x", 65<<10)}}.Encode()
	if err := r.refuses(long, 400); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/job/%61", "/job//a/", "//job/a", "/job/stat/%61"} {
		if w := r.send(httptest.NewRequest("GET", "/scheduler"+path, nil)); w.Code != 200 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestHostileMethods: every route answers all other methods with 405, and tells those that
// it has to browsers that ask before.
func TestHostileMethods(t *testing.T) {
	r := family(t, "a")
	for _, route := range Routes() {
		path := strings.ReplaceAll(route.Path, "{name}", "a")
		for _, method := range []string{"TRACE", "CONNECT", "PATCH", "COPY", "get", "X"} {
			if slices.ContainsFunc(Routes(), func(x rest.Route) bool { return x.Path == route.Path && x.Method == method }) {
				continue
			}
			q := httptest.NewRequest("GET", path, strings.NewReader(`{"name":"h","command":"x"}`))
			q.Method = method
			if err := r.refuses(q, 405); err != nil {
				t.Errorf("%s %s: %v", method, path, err)
			}
		}
		if w := r.send(httptest.NewRequest("OPTIONS", path, nil)); w.Code != 204 || !strings.Contains(w.Header().Get("Allow"), route.Method) || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("OPTIONS %s: %d %v", path, w.Code, w.Header())
		}
	}
}

// TestContentTypes: what a body is called does not matter, because clients call it by many
// names; what it is does.
func TestContentTypes(t *testing.T) {
	r := newReal(t)
	for i, called := range []string{"", "application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=latin1", "\x00"} {
		q := httptest.NewRequest("POST", "/v1/scheduler/iso8601", strings.NewReader(fmt.Sprintf(`{"name":"j%d","command":"x=1&y=2"}`, i)))
		q.Header.Set("Content-Type", called)
		if w := r.send(q); w.Code != 204 {
			t.Errorf("%q: %d %s", called, w.Code, w.Body)
		}
		q = httptest.NewRequest("POST", "/v1/scheduler/iso8601", strings.NewReader(`name=h&command=x`))
		q.Header.Set("Content-Type", called)
		if err := r.refuses(q, 400); err != nil {
			t.Errorf("%q: %v", called, err)
		}
	}
}

// FuzzRequests: whatever is asked, the answer is whole, a refusal leaves everything as it was,
// and what is stored can be read by the next chronosish.
func FuzzRequests(f *testing.F) {
	for _, route := range Routes() {
		path := strings.ReplaceAll(route.Path, "{name}", "b")
		f.Add(route.Method, path, "limit=3&arguments=x", `{"name":"h","command":"x","parents":["a"]}`)
	}
	f.Add("PATCH", "/v2/jobs/b", "", `{"disabled":true}`)
	f.Add("POST", "/scheduler/iso8601", "", `{"name":"b","command":"x","schedule":"R3/2026-01-01T11:59:00Z/PT1S","epsilon":"PT90S","scheduleTimeZone":"PST"}`)
	for _, body := range hostileBodies() {
		if len(body) < 1000 {
			f.Add("POST", "/scheduler/iso8601", "", body)
		}
	}
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		r := family(t, "a", "b: a")
		before := r.state()
		q := httptest.NewRequest("GET", "/", strings.NewReader(body))
		q.Method, q.URL.Path, q.URL.RawQuery = method, path, query
		w := r.send(q)
		switch {
		case w.Code >= 500 || w.Code < 200:
			t.Fatalf("%d %s", w.Code, w.Body)
		case w.Code >= 400 && r.state() != before:
			t.Fatalf("%d %s, and %s is there", w.Code, w.Body, r.state())
		case strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") && !json.Valid(w.Body.Bytes()):
			t.Fatalf("%s", w.Body)
		}
		jobs := r.ask("GET", "jobs", "")
		var list []job.Document
		if err := json.Unmarshal([]byte(jobs), &list); err != nil {
			t.Fatalf("%v: %s", err, jobs)
		}
		if r.restart(); r.ask("GET", "jobs", "") != jobs {
			t.Fatalf("%s became %s", jobs, r.ask("GET", "jobs", ""))
		}
	})
}

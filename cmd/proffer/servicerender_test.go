package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFilesOfServices(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []string // bodies, or the error
	}{
		"JSON keeps its bytes":          {"{\"id\":\"a\",\t\"cpus\": 0.10}", []string{"{\"id\":\"a\",\t\"cpus\": 0.10}"}},
		"a list":                        {`[{"id":"a"},{"id":"b"}]`, []string{`{"id":"a"}`, `{"id":"b"}`}},
		"documents after each other":    {"id: a\n---\nid: b\n", []string{`{"id":"a"}`, `{"id":"b"}`}},
		"numbers, truth, dates, blocks": {"id: a\nmem: 32\ncpus: 0.5\nrequirePorts: yes\nlabels: {day: 2024-01-02}\ncmd: |\n  a\n  b\n", []string{`{"cmd":"a\nb\n","cpus":0.5,"id":"a","labels":{"day":"2024-01-02"},"mem":32,"requirePorts":"yes"}`}},
		"anchors":                       {"id: a\nenv: &e {A: x}\nlabels: *e\n", []string{`{"env":{"A":"x"},"id":"a","labels":{"A":"x"}}`}},
		"nothing":                       {" \n", []string{"it is empty; a service's definition is expected"}},
		"a comment alone":               {"# x\n", []string{"it defines no service"}},
		"no id":                         {"cmd: x\n", []string{`a service has no id, such as "id": "/web"`}},
		"no object":                     {"- 1\n", []string{"a service is an object with an id: json: cannot unmarshal number into Go value of type struct { ID string \"json:\\\"id\\\"\"; Apps json.RawMessage \"json:\\\"apps\\\"\" }"}},
		"a key that is none":            {"{id: a, [1]: 2}\n", []string{"line 1: a key is a plain word"}},
	} {
		var got []string
		docs, err := parseApps([]byte(c.in))
		for _, d := range docs {
			got = append(got, string(d.body))
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestAliasesAreBounded: a few lines that stand for billions of values are refused.
func TestAliasesAreBounded(t *testing.T) {
	text := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		text += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 10), ",") + "]\n"
	}
	if _, err := parseApps([]byte(text)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("err = %v", err)
	}
}

func TestWhyItWaits(t *testing.T) {
	for text, want := range map[string]string{
		`{"delay":{"timeLeftSeconds":14}}`: "the next start is in 14s, because the last ones failed",
		`{}`:                               "no offer has come yet",
		`{"processedOffersSummary":{"processedOffersCount":2}}`: "offers have come, and it is being started",
		`{"processedOffersSummary":{"processedOffersCount":2,"rejectSummaryLastOffers":[{"reason":"InsufficientMemory","declined":1,"processed":2},{"reason":"New","declined":1,"processed":1}]}}`: "1 of 2 offers have too little memory free (InsufficientMemory), then 1 of 1 offers were declined (New)",
	} {
		var q queueItem
		if err := json.Unmarshal([]byte(text), &q); err != nil {
			t.Fatal(err)
		}
		if got := q.why(); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// TestBoard: what a terminal shows while a new version replaces the old one, and that the
// next picture takes its place.
func TestBoard(t *testing.T) {
	var s snapshot
	if err := json.Unmarshal([]byte(`{"id":"/web","instances":2,"tasksRunning":1,"healthChecks":[{}],"versionInfo":{"lastConfigChangeAt":"2"},"tasks":[
		{"id":"web.bbbbbbbb-1","host":"h2","ports":[2,3],"state":"TASK_RUNNING","stagedAt":"2","instanceIndex":0,"version":"2","healthCheckResults":[{"alive":true}]},
		{"id":"web.aaaaaaaa-1","host":"h1","ports":[1],"state":"TASK_KILLING","stagedAt":"1","instanceIndex":0,"version":"1"}],
		"lastTaskFailure":{"taskId":"web.cc","state":"TASK_FAILED","host":"h3","message":"exit 1\nmore"}}`), appInto(&s)); err != nil {
		t.Fatal(err)
	}
	s.deployment = &deployment{CurrentStep: 1, TotalSteps: 2}
	s.queue.Queue = []queueItem{{Count: 1}}
	s.queue.Queue[0].App.ID = "/web"
	want := []string{
		"/web  1 of 2 ready  step 1 of 2",
		"    0  aaaaaaaa  h1:1                    killing, old version",
		"    0  bbbbbbbb  h2:2                    running, healthy",
		"  last failure: failed on h3: exit 1",
		"  1 instance to start: no offer has come yet",
	}
	if d := cmp.Diff(want, board(s)); d != "" {
		t.Error(d)
	}
	var out bytes.Buffer
	d := &display{to: &out, wide: 20, plain: newProgress()}
	d.show(s)
	d.show(s) // the same picture is not drawn again
	if n := strings.Count(out.String(), "\n"); n != 5 || !strings.Contains(out.String(), "\n    0  aaaaaaaa  h…\n") {
		t.Errorf("drawn %q", out.String())
	}
	out.Reset()
	s.apps[0].Tasks = s.apps[0].Tasks[:1]
	d.show(s)
	if !strings.HasPrefix(out.String(), "\x1b[5A\r\x1b[J/web") {
		t.Errorf("drawn %q", out.String())
	}
}

func appInto(s *snapshot) *app {
	s.apps = make([]app, 1)
	return &s.apps[0]
}

// TestPrefixedLines: lines are whole, whatever the pieces they come in.
func TestPrefixedLines(t *testing.T) {
	var out bytes.Buffer
	var mu sync.Mutex
	w := &prefixWriter{prefix: "[0] ", mu: &mu, to: &out}
	for _, s := range []string{"a", "b\nc", "", "\n\n", "end"} {
		if n, err := w.Write([]byte(s)); n != len(s) || err != nil {
			t.Errorf("Write(%q) = %d, %v", s, n, err)
		}
	}
	w.flush()
	if got := out.String(); got != "[0] ab\n[0] c\n[0] \n[0] end\n" {
		t.Errorf("written %q", got)
	}
	out.Reset()
	_, _ = w.Write(bytes.Repeat([]byte("x"), 3*maxLine))
	if out.Len() < 3*maxLine || len(w.rest) > 0 {
		t.Errorf("%d bytes written, %d held back of a line without an end", out.Len(), len(w.rest))
	}
}

func FuzzParseApps(f *testing.F) {
	for _, s := range []string{"{\"id\":\"a\"}", "id: a\n", "[{id: a}]", "a: &x [*x]\n", "---\n---\n", "\t", "? [a]\n: b\n", "id: !!binary x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := parseApps(data)
		for _, d := range docs {
			if err != nil || short(d.id) == "" || !json.Valid(d.body) {
				t.Errorf("%q gave %q and %v", data, d.body, err)
			}
		}
	})
}

func FuzzReadEvents(f *testing.F) {
	f.Add([]byte("id: 1\r\nevent: a\r\ndata: {}\r\n\r\n\r\n"))
	f.Add([]byte("data\n\n:x\ndata:1\ndata: 2\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = readEvents(bytes.NewReader(data), func(e event) {
			if len(e.Data) == 0 {
				t.Errorf("an event without data in %q", data)
			}
			_ = e.line()
			_, _ = verdictOf(e)
		})
	})
}

func FuzzRefusal(f *testing.F) {
	f.Add(422, []byte(`{"message":"m","details":[{"path":"/a","errors":["b"]}]}`))
	f.Add(409, []byte(`{"message":"m","details":"text","deployments":[{"id":"d"}]}`))
	f.Add(503, []byte(`no`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if e := refusalOf(status, body); e.Code == "" {
			t.Errorf("%d %q has no class", status, body)
		}
	})
}

package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/rest/resttest"
)

// TestScripts runs testdata/*.txt. `http` sends each line of its input, a method, a
// target and for some a body, and shows what is answered; `indent` shows JSON over many
// lines. Below {base} each request is sent to both prefixes, which must answer alike.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f := newFake()
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return runCommand(t, d, f) })
		})
	}
}

func runCommand(t *testing.T, d *datadriven.TestData, f *fake) string {
	t.Helper()
	var name string
	d.MaybeScanArgs(t, "job", &name)
	switch d.Cmd {
	case "http":
		var b strings.Builder
		for line := range strings.SplitSeq(d.Input, "\n") {
			both := strings.Contains(line, "{base}")
			answer := exchange(t, f, strings.Replace(line, "{base}", "/v1/scheduler", 1), d.HasArg("indent"), !d.HasArg("stranger"))
			if both && !d.HasArg("once") {
				if old := exchange(t, f, strings.Replace(line, "{base}", "/scheduler", 1), d.HasArg("indent"), !d.HasArg("stranger")); old != strings.ReplaceAll(answer, "/v1/scheduler", "/scheduler") {
					t.Errorf("%s: below /scheduler it is %s", line, old)
				}
			}
			b.WriteString(answer)
		}
		return b.String()
	case "ran": // a job; due, start and end in seconds; outcome; wait status
		for line := range strings.SplitSeq(d.Input, "\n") {
			var due, start, end int
			var outcome string
			var wait int32
			if _, err := fmt.Sscan(line, &due, &start, &end, &outcome, &wait); err != nil {
				d.Fatalf(t, "%v", err)
			}
			f.ran(name, time.Duration(due)*time.Second, time.Duration(start)*time.Second, time.Duration(end)*time.Second, outcome, wait)
		}
	case "runs": // so many of a job run, and so many wait
		st := f.jobs[name]
		var running, waiting int
		d.ScanArgs(t, "running", &running)
		d.ScanArgs(t, "waiting", &waiting)
		st.Runs = nil
		for i := range running + waiting {
			r := book.Run{Job: name, ID: fmt.Sprint("slot-", i), Cause: book.BySlot, Nominal: f.now, Attempt: i}
			if i < running {
				r.TaskID, r.AgentID, r.Host, r.State, r.Started = sdk.TaskID(fmt.Sprint("ct:", i)), "a1", "h1", sdk.TaskRunning, f.now.Add(-90*time.Second)
			}
			st.Runs = append(st.Runs, r)
		}
		if waiting > 0 {
			st.Waits = "no agent has 0.1 cpus"
		}
		f.jobs[name] = st
	case "skipped":
		f.history[name] = append([]book.Record{{Job: name, Cause: book.BySlot, Nominal: f.now, Outcome: book.Skipped, Reason: "its start window had passed", At: f.now, Last: f.now.Add(time.Hour), Count: 2}}, f.history[name]...)
	case "exhausted":
		st := f.jobs[name]
		st.Exhausted = true
		f.jobs[name] = st
	case "later":
		f.now = f.now.Add(time.Minute)
	case "fails":
		f.fails = map[string]error{"store": sdk.Errorf(sdk.CodeExhausted, "", "the space has 64 MiB, of which all are used"), "slow": context.DeadlineExceeded,
			"bug": errors.New("broken"), "gone": context.Canceled, "none": nil}[d.CmdArgs[0].Key]
	case "elected":
		f.info.Elected = d.CmdArgs[0].Key == "true"
	case "asked":
		arguments := "its own"
		if f.last.Arguments != nil {
			arguments = fmt.Sprintf("%q", *f.last.Arguments)
		}
		return fmt.Sprintf("kind %d, names %v, arguments %s, versions %v; %d changes\n", f.last.Kind, f.last.Names, arguments, f.last.IfVersion, f.changes)
	default:
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	return ""
}

// exchange sends one request and writes down what came back.
func exchange(t *testing.T, f *fake, line string, indent, operator bool) string {
	t.Helper()
	method, rest, _ := strings.Cut(line, " ")
	target, body, _ := strings.Cut(rest, " ")
	w := httptest.NewRecorder()
	f.handler(operator).ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	if w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%s: browsers of elsewhere may not read the answer", line)
	}
	return resttest.Show(t, w, indent, "Allow", "Retry-After")
}

// TestRoutes: each line is documented, there once, and answered.
func TestRoutes(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Routes() {
		key := r.Method + " " + r.Path
		if seen[key] || r.Doc == "" || !strings.HasSuffix(r.Doc, ".") || r.Handle == nil {
			t.Errorf("%s is there twice, or lacks its documentation or handler", key)
		}
		seen[key] = true
		path := strings.ReplaceAll(r.Path, "{name}", "mean")
		for _, target := range []string{path, path + "/", strings.ReplaceAll(path, "/", "//")} {
			f := newFake()
			w := httptest.NewRecorder()
			f.handler(true).ServeHTTP(w, httptest.NewRequest("POST", "/scheduler/iso8601", strings.NewReader(`{"name":"mean","command":"x"}`)))
			w = httptest.NewRecorder()
			body := `{"name":"b","command":"x","schedule":"R1//PT1H"}`
			if r.Method == http.MethodPatch {
				body = `{"disabled":true}`
			}
			f.handler(true).ServeHTTP(w, httptest.NewRequest(r.Method, target, strings.NewReader(body)))
			if wrong := w.Code >= 300; wrong && !strings.HasSuffix(path, "/dependency") {
				t.Errorf("%s %s: %d %s", r.Method, target, w.Code, w.Body)
			}
		}
	}
}

// TestChangesAreComputedAnew: a change that came between makes a POST look again at what
// it goes on from; what comes between for ever is a 409.
func TestChangesAreComputedAnew(t *testing.T) {
	f := newFake()
	send := func(body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		f.handler(true).ServeHTTP(w, httptest.NewRequest("POST", "/scheduler/iso8601", strings.NewReader(body)))
		return w
	}
	first := `{"name":"a","command":"x","schedule":"R5/2026-01-31T00:00:00Z/P1M"}`
	other := func(f *fake) {
		j := f.jobs["a"].Job.Clone()
		j.Version++
		j.Owner = "b"
		st := f.jobs["a"]
		st.Job, st.Handled = j, time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
		f.jobs["a"] = st
	}
	if w := send(first); w.Code != 204 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	f.between = other
	// As it is shown after the run that comes between.
	if w := send(`{"name":"a","command":"y","schedule":"R4/2026-02-28T00:00:00.000Z/P1M"}`); w.Code != 204 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if st := f.jobs["a"]; st.Job.Command != "y" || st.Job.Schedule != "R5/2026-01-31T00:00:00Z/P1M" || st.Handled.IsZero() {
		t.Errorf("the anchor is lost: %+v", st.Job)
	}
	var always func(*fake)
	always = func(f *fake) { other(f); f.between = always }
	f.between = always
	if w := send(first); w.Code != 409 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestBodyTooLarge: the bound is told.
func TestBodyTooLarge(t *testing.T) {
	w := httptest.NewRecorder()
	newFake().handler(true).ServeHTTP(w, httptest.NewRequest("POST", "/scheduler/iso8601", strings.NewReader(`{"command":"`+strings.Repeat("x", 5<<20)+`"}`)))
	if w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "4194304") {
		t.Errorf("%d %.200s", w.Code, w.Body)
	}
}

func TestQuantiles(t *testing.T) {
	var times []time.Duration
	for i := range 99 {
		times = append(times, time.Duration(99-i)*time.Second)
	}
	if h := measure(times); h.Count != 99 || h.Median != 50_000 || h.Mean != 50_000 || h.P75 != 75_000 || h.P99 != 99_000 {
		t.Errorf("%+v", h)
	}
	if h := measure([]time.Duration{time.Second}); h.P99 != 1000 || h.Median != 1000 {
		t.Errorf("of one: %+v", h)
	}
	if h := measure([]time.Duration{time.Second, 2 * time.Second}); h.Median != 1500 || h.P99 != 2000 {
		t.Errorf("of two: %+v", h)
	}
}

func TestSpell(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Second: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m1s", 3600 * time.Second: "1h0m0s", 93784 * time.Second: "1d2h3m4s"} {
		if got := spell(d); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
}

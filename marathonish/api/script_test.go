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

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/gateway"
	"github.com/profferhq/proffer/sdk/scheduler/rest/resttest"
)

// TestScripts runs testdata/*.txt: requests as they come over the wire, and what is
// answered. The first line is method and target, headers may follow, and after a line
// with a bar the body. `indent` shows JSON over many lines.
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
	var id string
	d.MaybeScanArgs(t, "id", &id)
	switch d.Cmd {
	case "http":
		return exchange(t, f, d.Input, d.HasArg("indent"), !d.HasArg("stranger"))
	case "instances":
		n := 0
		d.ScanArgs(t, "n", &n)
		f.run(app.ID(id), n)
	case "lock":
		f.locked[app.ID(id)] = "d-lock"
	case "failure":
		st := f.apps[app.ID(id)]
		st.LastFailure = &fleet.Failure{App: st.App.ID, Host: "h1", Message: "exit 1", State: "TASK_FAILED", TaskID: "web.0", At: f.now, Version: st.App.Version, AgentID: "a1"}
		f.apps[app.ID(id)] = st
	case "deployment":
		step := []fleet.Action{{Action: fleet.ScaleApplication, App: app.ID(id)}}
		f.deployments = []fleet.Deployment{{ID: "d-run", Version: "2021-07-27T10:00:00.123Z", Apps: []app.ID{app.ID(id)}, Steps: [][]fleet.Action{{{Action: fleet.StartApplication, App: app.ID(id)}}, step},
			Current: step, Step: 2, Total: 2, Waits: map[app.ID]string{app.ID(id): "waits for 1 instance to become ready"}}}
		st := f.apps[app.ID(id)]
		st.Deployments = []string{"d-run"}
		f.apps[app.ID(id)] = st
	case "waiting":
		f.queue = []fleet.Waiting{waiting(f.apps[app.ID(id)].App, f.now)}
	case "fails":
		f.fails = map[string]error{"store": sdk.Errorf(sdk.CodeExhausted, "", "the space has 64 MiB, of which all are used"), "leader": app.Refusef(503, "no leader"),
			"bug": errors.New("broken"), "gone": context.Canceled, "none": nil}[d.CmdArgs[0].Key]
	case "elected":
		f.info.Elected = d.CmdArgs[0].Key == "true"
		if !f.info.Elected {
			f.info.Leader = ""
		}
	case "asked":
		return fmt.Sprintf("%s %s force=%v scale=%v wipe=%v host=%q tasks=%v ids=%v if=%v\n", f.last.ClientIP, f.last.URI, f.last.Force, f.last.Scale, f.last.Wipe, f.last.Host, f.last.Tasks, f.last.IDs, f.last.IfVersion)
	default:
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	return ""
}

func waiting(a *app.App, at time.Time) fleet.Waiting {
	funnel := []fleet.Reason{{Reason: "UnfulfilledRole", Declined: 0, Processed: 3}, {Reason: "InsufficientCpus", Declined: 3, Processed: 3}}
	one := 1.5
	return fleet.Waiting{App: a, Count: 2, Since: at, DelayLeft: 1500 * time.Millisecond, Offers: fleet.OfferCounts{Processed: 3, Unused: 3, LastUnused: at}, Reasons: funnel, Attempt: funnel,
		Unused: []fleet.UnusedOffer{{Offer: sdk.Offer{ID: "o1", AgentID: "a1", Hostname: "h1", Resources: []sdk.Resource{{Name: "cpus", Scalar: &sdk.Scalar{Value: one}}, {Name: "ports", Role: "x", Ranges: &sdk.Ranges{Range: []sdk.Range{{Begin: 1, End: 2}}}}, {Name: "s", Set: &sdk.Set{Item: []string{"a"}}}},
			Attributes: []sdk.Attribute{{Name: "rack", Text: &sdk.Text{Value: "r1"}}}}, Reasons: []string{"InsufficientCpus"}, At: at}},
		Why: "no agent has 12345 cpus"}
}

// exchange sends one request and writes down what came back.
func exchange(t *testing.T, f *fake, input string, indent, operator bool) string {
	t.Helper()
	head, body, _ := strings.Cut(input, "\n|\n")
	lines := strings.Split(head, "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	f.handler(operator).ServeHTTP(w, r)
	h := w.Header()
	if operator && (h.Get("Cache-Control") != "no-cache, no-store, must-revalidate" || f.info.Leader != "" && h.Get("X-Marathon-Leader") != "http://"+f.info.Leader) {
		t.Errorf("%s: the headers of all answers are missing: %v", lines[0], h)
	}
	return strings.ReplaceAll(resttest.Show(t, w, indent, "Allow", "Location", "Marathon-Deployment-Id", "Retry-After"), "\t", "→")
}

// TestChangesAreComputedAnew: a change that came between makes a partial PUT read again
// and lay itself over what is there now; what comes between for ever is a 409.
func TestChangesAreComputedAnew(t *testing.T) {
	f := newFake()
	send := func(method, target, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		f.handler(true).ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
		return w
	}
	send("POST", "/v2/apps", `{"id":"/web","cmd":"a"}`)
	other := func(f *fake) {
		a := f.apps["/web"].App.Clone()
		a.Instances = 7
		f.now = f.now.Add(time.Second)
		f.keep(a, app.NextVersion(f.now, ""))
	}
	f.between = other
	if w := send("PUT", "/v2/apps/web", `{"cmd":"b"}`); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if a := f.apps["/web"].App; *a.Cmd != "b" || a.Instances != 7 {
		t.Errorf("the change in between is lost: %s, %d instances", *a.Cmd, a.Instances)
	}
	var always func(*fake)
	always = func(f *fake) { other(f); f.between = always }
	f.between = always
	if w := send("PATCH", "/v2/apps", `[{"id":"/web","cmd":"c"}]`); w.Code != 409 || strings.Contains(w.Body.String(), "deployments") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	// A whole definition does not depend on what was there.
	f.between = other
	if w := send("PUT", "/v2/apps/web?partialUpdate=false", `{"cmd":"d"}`); w.Code != 200 || f.apps["/web"].App.Instances != 1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestBodyTooLarge: the bound is told.
func TestBodyTooLarge(t *testing.T) {
	f := newFake()
	w := httptest.NewRecorder()
	f.handler(true).ServeHTTP(w, httptest.NewRequest("POST", "/v2/apps", strings.NewReader(`{"cmd":"`+strings.Repeat("x", 9<<20)+`"}`)))
	if w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "8388608") {
		t.Errorf("%d %.200s", w.Code, w.Body)
	}
}

// TestRoutes: each line is documented, there once, and answered.
func TestRoutes(t *testing.T) {
	f := newFake()
	seen := map[string]bool{}
	for _, r := range Routes() {
		key := r.Method + " " + r.Path
		if seen[key] || r.Doc == "" || !strings.HasSuffix(r.Doc, ".") || r.Handle == nil {
			t.Errorf("%s is there twice, or lacks its documentation or handler", key)
		}
		seen[key] = true
		path := strings.NewReplacer("{id...}", "shop/web", "{task}", "shop_web.1", "{version}", "2021-07-27T10:00:00.123Z", "{deployment}", "d-1").Replace(r.Path)
		for _, target := range []string{path, path + "/", strings.ReplaceAll(path, "/", "//")} {
			w := httptest.NewRecorder()
			f.handler(true).ServeHTTP(w, httptest.NewRequest(r.Method, target, strings.NewReader("{}")))
			if strings.Contains(w.Body.String(), "is not served") || w.Code >= 500 || w.Code == http.StatusMethodNotAllowed && r.Path != "/v2/events" {
				t.Errorf("%s %s: %d %s", r.Method, target, w.Code, w.Body)
			}
		}
	}
}

// TestChangeTimesOut: a store that does not answer is not waited for for ever.
func TestChangeTimesOut(t *testing.T) {
	f := newFake()
	f.fails = context.DeadlineExceeded
	o := DefaultOptions()
	o.ChangeTimeout = time.Millisecond
	h := New(f, o, func(next http.Handler) http.Handler { return resttest.As(gateway.Caller{Operator: true}, next) })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("DELETE", "/v2/apps/web", nil))
	if w.Code != 503 || !strings.Contains(w.Body.String(), "may still happen") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

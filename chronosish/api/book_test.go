package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/chronosish/schedule"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/gateway"
)

// real is a Backend with a book, a store that is always there, and one agent that has
// room for everything and runs nothing until the test says so.
type real struct {
	t       *testing.T
	now     time.Time
	book    *book.Book
	replies map[uint64]book.Reply
	serial  uint64
	tasks   []sdk.TaskInfo // launched
	offers  int
}

func newReal(t *testing.T) *real {
	r := &real{t: t, now: time.Date(2026, 1, 1, 12, 0, 0, 250e6, time.UTC), replies: map[uint64]book.Reply{}}
	b, err := book.Load(r.now, book.Options{Parse: func(j *job.Job) (due.Schedule, error) { return schedule.Parse(j.Schedule, j.Zone, j.Created) }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.book = b
	r.step(book.Subscribed{})
	return r
}

func (r *real) Read(do func(View)) { do(r.book) }
func (r *real) Info() Info         { return Info{Elected: true, Leader: "h:4400"} }

func (r *real) Change(_ context.Context, c book.Change) (book.Outcome, error) {
	r.serial++
	r.step(book.Request{ID: r.serial, Change: c})
	reply, ok := r.replies[r.serial]
	if !ok {
		return book.Outcome{}, fmt.Errorf("the change %d has no reply", r.serial)
	}
	if reply.Refusal != nil {
		return book.Outcome{}, reply.Refusal
	}
	return reply.Outcome, nil
}

// step lets things happen, and does what follows at once.
func (r *real) step(inputs ...book.Input) {
	for len(inputs) > 0 {
		effects := append([]book.Effect{}, r.book.Step(r.now, inputs...)...)
		inputs = nil
		for _, e := range effects {
			switch e := e.(type) {
			case book.Commit:
				inputs = append(inputs, book.Persisted{Txn: e.Txn})
			case book.Reply:
				r.replies[e.ID] = e
			case book.Accept:
				r.tasks = append(r.tasks, e.Tasks...)
			case book.Revive:
				inputs = append(inputs, r.offer())
			}
		}
	}
}

func (r *real) offer() book.Input {
	r.offers++
	amount := func(name string, x float64) sdk.Resource {
		return sdk.Resource{Name: name, Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: x}}
	}
	return book.Offers{Offers: []sdk.Offer{{ID: sdk.OfferID(fmt.Sprint("o", r.offers)), AgentID: "a1", Hostname: "h1",
		Resources: []sdk.Resource{amount("cpus", 100), amount("mem", 100_000), amount("disk", 100_000)}}}}
}

// ends lets all that was launched run and end.
func (r *real) ends(state sdk.TaskState) {
	tasks := r.tasks
	r.tasks = nil
	for i, task := range tasks {
		for j, s := range []sdk.TaskState{sdk.TaskRunning, state} {
			id := task.TaskID
			r.step(book.Update{Status: sdk.TaskStatus{TaskID: id, State: s, AgentID: "a1", UUID: fmt.Appendf(nil, "u%d.%d.%d", r.offers, i, j)}})
		}
	}
	r.step(r.offer())
}

func (r *real) passes(d time.Duration) {
	r.now = r.now.Add(d)
	r.step(book.Tick{})
}

func (r *real) ask(method, path, body string) string {
	s := &server{backend: r, opts: DefaultOptions(), now: func() time.Time { return r.now }}
	w := httptest.NewRecorder()
	q := httptest.NewRequest(method, "/v1/scheduler/"+path, strings.NewReader(body))
	onlyOperators(s.router()).ServeHTTP(w, q.WithContext(gateway.WithCaller(q.Context(), gateway.Caller{Operator: true})))
	if w.Code == http.StatusNoContent {
		return "204"
	}
	return strings.TrimSpace(w.Body.String())
}

func (r *real) line(name string) string {
	for line := range strings.SplitSeq(r.ask("GET", "graph/csv", ""), "\n") {
		if strings.HasPrefix(line, "node,"+name+",") {
			return line
		}
	}
	return ""
}

func (r *real) schedule(name string) string {
	var d job.Document
	if err := json.Unmarshal([]byte(r.ask("GET", "job/"+name, "")), &d); err != nil || d.Schedule == nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	return fmt.Sprint(*d.Schedule, " ", d.Disabled)
}

// TestOverABook: a job's life as clients see it, over the real book.
func TestOverABook(t *testing.T) {
	r := newReal(t)
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Fatalf("%s: %s, want %s", what, got, want)
		}
	}
	check("made", r.ask("POST", "iso8601", `{"name":"a","command":"x","schedule":"R3/2026-01-01T12:00:02Z/PT2S"}`), "204")
	check("a child", r.ask("POST", "dependency", `{"name":"c","command":"x","parents":["a"]}`), "204")
	check("a cycle", r.ask("POST", "dependency", `{"name":"a","command":"x","parents":["c"]}`), `{"message":"The parents of a would make a cycle: a → c → a. Leave one of them out.","status":"Bad Request"}`)
	check("before", r.schedule("a"), "R3/2026-01-01T12:00:02.000Z/PT2S false")
	first := r.ask("GET", "job/a", "")
	for i := range 3 {
		r.passes(2 * time.Second)
		check("at the slot", r.line("a"), map[bool]string{true: "node,a,fresh,1 running", false: "node,a,success,1 running"}[i == 0])
		r.ends(sdk.TaskFinished) // the parent
		check("after the slot", r.line("a"), "node,a,success,idle")
		check("the child starts", r.line("c"), map[bool]string{true: "node,c,fresh,1 running", false: "node,c,success,1 running"}[i == 0])
		r.ends(sdk.TaskFinished) // the child
		if i == 0 {
			check("what was shown goes on", r.ask("POST", "iso8601", first), "204")
			check("after one", r.schedule("a"), "R2/2026-01-01T12:00:04.000Z/PT2S false")
		}
	}
	check("at the end", r.schedule("a"), "R0/2026-01-01T12:00:08.000Z/PT2S true")
	check("what has ended is sent back", r.ask("POST", "iso8601", r.ask("GET", "job/a", "")), "204")
	r.passes(time.Minute)
	check("nothing runs any more", r.line("a"), "node,a,success,idle")
	check("run now", r.ask("PUT", "job/a", ""), "204")
	r.passes(0)
	check("running by hand", r.line("a"), "node,a,success,1 running")
	r.ends(sdk.TaskFailed)
	check("killed", r.ask("DELETE", "task/kill/a", ""), "204")
	check("starts now", r.ask("POST", "iso8601", `{"name":"now","command":"x","schedule":"R1//PT2M"}`), "204")
	r.passes(time.Second)
	check("it does", r.line("now"), "node,now,fresh,1 running")
	r.ends(sdk.TaskFinished)
	r.passes(time.Second)
	check("and again", r.ask("POST", "iso8601", `{"name":"now","command":"x","schedule":"R1//PT2M"}`), "204")
	r.passes(time.Second)
	check("it does again", r.line("now"), "node,now,success,1 running")
	r.ends(sdk.TaskFinished)
	check("a dependent job becomes one that starts now", r.ask("POST", "iso8601", `{"name":"c","command":"x"}`), "204")
	r.passes(time.Second)
	check("it starts", r.line("c"), "node,c,success,1 running")
	check("deleted", r.ask("DELETE", "job/a", ""), "204")
	check("gone", r.ask("GET", "job/a", ""), `{"message":"There is no job named \"a\".","status":"Bad Request"}`)
}

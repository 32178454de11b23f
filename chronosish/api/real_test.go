package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/chronosish/schedule"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/gateway"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
	"github.com/profferhq/proffer/sdk/scheduler/rest/resttest"
)

// real is a Backend with a book, a store that is always there, and one agent that has
// room for everything and runs nothing until the test says so.
type real struct {
	t        *testing.T
	now      time.Time
	book     *book.Book
	store    map[string][]byte
	revision int // of the store
	replies  map[uint64]mind.Reply[book.Outcome]
	serial   uint64
	tasks    []sdk.TaskInfo // launched, and not ended yet
	kills    []sdk.TaskID
	offers   int
	uuids    int
}

func newReal(t *testing.T) *real {
	r := &real{t: t, now: time.Date(2026, 1, 1, 12, 0, 0, 250e6, time.UTC), store: map[string][]byte{}, replies: map[uint64]mind.Reply[book.Outcome]{}}
	r.restart()
	return r
}

// restart begins anew with what is in the store. What was launched goes on.
func (r *real) restart() {
	var kvs []sdk.StoreKV
	for _, key := range slices.Sorted(maps.Keys(r.store)) {
		kvs = append(kvs, sdk.StoreKV{Key: key, Value: r.store[key]})
	}
	b, err := book.Load(r.now, book.Options{Parse: func(j *job.Job) (due.Schedule, error) { return schedule.Parse(j.Schedule, j.Zone, j.Created) }}, kvs)
	if err != nil {
		r.t.Fatal(err)
	}
	r.book = b
	r.step(mind.Subscribed{})
	for _, task := range r.tasks {
		r.tell(task, sdk.TaskRunning)
	}
}

func (r *real) Read(do func(View)) { do(r.book) }
func (r *real) Info() Info         { return Info{Elected: true, Leader: "h:4400"} }

func (r *real) Output(context.Context, sdk.AgentID, sdk.TaskID, string, int) ([]byte, int64, error) {
	return nil, 0, sdk.Errorf(sdk.CodeNotFound, "", "nothing runs here")
}

func (r *real) Change(_ context.Context, c book.Change) (book.Outcome, error) {
	r.serial++
	r.step(mind.Request[book.Change]{ID: r.serial, Change: c})
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
func (r *real) step(inputs ...mind.Input) {
	for len(inputs) > 0 {
		effects := append([]mind.Effect{}, r.book.Step(r.now, inputs...)...)
		inputs = nil
		for _, e := range effects {
			switch e := e.(type) {
			case mind.Commit:
				r.revision++
				for _, w := range e.Writes {
					r.write(w)
				}
				inputs = append(inputs, mind.Persisted{Txn: e.Txn})
			case mind.Reply[book.Outcome]:
				r.replies[e.ID] = e
			case mind.Accept:
				r.tasks = append(r.tasks, e.Tasks...)
			case mind.Kill:
				r.kills = append(r.kills, e.Task)
			case mind.Revive:
				inputs = append(inputs, r.offer())
			}
		}
	}
}

func (r *real) write(w sdk.StoreOp) {
	switch w.Type {
	case sdk.StoreDeletePrefix:
		maps.DeleteFunc(r.store, func(key string, _ []byte) bool { return strings.HasPrefix(key, w.Key) })
	case sdk.StoreDelete:
		delete(r.store, w.Key)
	default:
		r.store[w.Key] = slices.Clone(w.Value)
	}
}

func (r *real) offer() mind.Input {
	r.offers++
	amount := func(name string, x float64) sdk.Resource {
		return sdk.Resource{Name: name, Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: x}}
	}
	return mind.Offers{Offers: []sdk.Offer{{ID: sdk.OfferID(fmt.Sprint("o", r.offers)), AgentID: "a1", Hostname: "h1",
		Resources: []sdk.Resource{amount("cpus", 100), amount("mem", 100_000), amount("disk", 100_000)}}}}
}

func (r *real) tell(task sdk.TaskInfo, state sdk.TaskState) {
	r.uuids++
	r.step(mind.Update{Status: sdk.TaskStatus{TaskID: task.TaskID, State: state, AgentID: "a1", UUID: fmt.Appendf(nil, "u%d", r.uuids)}})
}

// of are the tasks of a job that were launched and have not ended.
func (r *real) of(name string) (list []sdk.TaskInfo) {
	for _, task := range r.tasks {
		if task.Name == name {
			list = append(list, task)
		}
	}
	return list
}

// end lets the tasks of a job run and end, and gives how many there were.
func (r *real) end(name string, state sdk.TaskState) int {
	tasks := r.of(name)
	r.tasks = slices.DeleteFunc(r.tasks, func(task sdk.TaskInfo) bool { return task.Name == name })
	for _, task := range tasks {
		r.tell(task, sdk.TaskRunning)
		r.tell(task, state)
	}
	r.step(r.offer())
	return len(tasks)
}

// ends lets all that was launched run and end.
func (r *real) ends(state sdk.TaskState) {
	for _, task := range slices.Clone(r.tasks) {
		r.end(task.Name, state)
	}
	r.step(r.offer())
}

func (r *real) passes(d time.Duration) {
	r.now = r.now.Add(d)
	r.step(mind.Tick{})
}

// send makes one request as the gateway passes it on.
func (r *real) send(q *http.Request) *httptest.ResponseRecorder {
	s := &server{backend: r, opts: DefaultOptions(), now: func() time.Time { return r.now }}
	w := httptest.NewRecorder()
	resttest.As(gateway.Caller{Operator: true}, s.handler()).ServeHTTP(w, q)
	return w
}

func (r *real) ask(method, path, body string) string {
	w := r.send(httptest.NewRequest(method, "/v1/scheduler/"+path, strings.NewReader(body)))
	if w.Code == http.StatusNoContent {
		return "204"
	}
	return strings.TrimSpace(w.Body.String())
}

// does asks for a change, which must be made.
func (r *real) does(method, path, body string) {
	r.t.Helper()
	if got := r.ask(method, path, body); got != "204" {
		r.t.Fatalf("%s %s %s: %s", method, path, body, got)
	}
}

// shown is a job as clients see it.
func (r *real) shown(name string) (d job.Document) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.ask("GET", "job/"+name, "")), &d); err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	return d
}

// line is what the graph says of a job: its last outcome and what goes on.
func (r *real) line(name string) string {
	for line := range strings.SplitSeq(r.ask("GET", "graph/csv", ""), "\n") {
		if strings.HasPrefix(line, "node,"+name+",") {
			return line
		}
	}
	return ""
}

func (r *real) schedule(name string) string {
	d := r.shown(name)
	if d.Schedule == nil {
		r.t.Fatalf("%s has no schedule", name)
	}
	return fmt.Sprint(*d.Schedule, " ", d.Disabled)
}

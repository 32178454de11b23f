package scheduler_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/store"
)

// errands is the mind of a tiny framework: it runs each command that it is asked for,
// and answers with its end. An errand is in the store before it is launched, and until
// its end is known.
type errands struct {
	outbox  mind.Outbox
	open    map[sdk.TaskID]*errand
	effects []mind.Effect
}

type errand struct {
	command string
	request uint64 // 0: whoever asked has gone with an earlier scheduler
	stored  bool
	placed  bool
}

const prefix = "errands/"

// load makes the mind of the errands that an earlier scheduler has left.
func load(_ time.Time, kvs []sdk.StoreKV) (*errands, error) {
	m := &errands{outbox: mind.Outbox{MaxTxn: 900 << 10, MaxWrites: 1000, FullPause: time.Second}, open: map[sdk.TaskID]*errand{}}
	for _, kv := range kvs {
		if id, ours := strings.CutPrefix(kv.Key, prefix); ours {
			m.open[sdk.TaskID(id)] = &errand{command: string(kv.Value), stored: true, placed: true}
		}
	}
	return m, nil
}

func (m *errands) Step(now time.Time, inputs ...mind.Input) []mind.Effect {
	m.effects = nil
	for _, in := range inputs {
		switch in := in.(type) {
		case mind.Request[string]:
			m.begin(now, in)
		case mind.Subscribed:
			m.ask()
		case mind.Offers:
			m.place(in.Offers)
		case mind.Update:
			m.update(now, in.Status)
		case mind.Persisted:
			m.outbox.Persisted(in.Txn)
		case mind.Refused:
			m.outbox.Refused(now, in)
		}
	}
	if c, ok := m.outbox.Flush(now); ok {
		m.emit(c)
	}
	return m.effects
}

func (m *errands) Due() (time.Time, bool) { at := m.outbox.Due(); return at, !at.IsZero() }

func (m *errands) emit(e mind.Effect) { m.effects = append(m.effects, e) }

// begin stores an errand, and then wants offers for it.
func (m *errands) begin(now time.Time, r mind.Request[string]) {
	id := sdk.TaskID(fmt.Sprintf("errand-%d", now.UnixNano()))
	e := &errand{command: r.Change, request: r.ID}
	m.open[id] = e
	m.outbox.Post(now, &mind.Posting{
		Writes: []sdk.StoreOp{store.Put(prefix+string(id), []byte(e.command))},
		Done:   func() { e.stored = true; m.emit(mind.Revive{}) },
		Failed: func(err *sdk.Error) { delete(m.open, id); m.emit(mind.Reply[string]{ID: r.ID, Refusal: err}) },
	})
}

// ask asks by name for what may have been launched: only so is one that never arrived
// answered too.
func (m *errands) ask() {
	for id, e := range m.open {
		if e.placed {
			m.emit(mind.Reconcile{Tasks: []sdk.ReconcileTask{{TaskID: id}}})
		}
	}
}

func (m *errands) place(offers []sdk.Offer) {
	for _, o := range offers {
		accept := mind.Accept{Offer: o.ID}
		for id, e := range m.open {
			if e.stored && !e.placed {
				e.placed = true
				accept.Tasks = append(accept.Tasks, sdk.TaskInfo{
					Name: "errand", TaskID: id, AgentID: o.AgentID, Command: &sdk.CommandInfo{Value: e.command},
					Resources: []sdk.Resource{sdk.NewScalar("cpus", 0.1), sdk.NewScalar("mem", 32)},
				})
				break // one an offer will do
			}
		}
		if len(accept.Tasks) > 0 {
			m.emit(accept)
			continue
		}
		m.emit(mind.Decline{Offers: []sdk.OfferID{o.ID}, Refuse: time.Minute})
		m.emit(mind.Suppress{})
	}
}

// update tells who asked of an errand's end, once it is forgotten in the store.
func (m *errands) update(now time.Time, st sdk.TaskStatus) {
	e := m.open[st.TaskID]
	if e == nil || !st.State.Terminal() {
		m.emit(mind.Acknowledge{Status: st})
		return
	}
	m.outbox.Post(now, &mind.Posting{Writes: []sdk.StoreOp{store.Delete(prefix + string(st.TaskID))}, Done: func() {
		delete(m.open, st.TaskID)
		m.emit(mind.Acknowledge{Status: st})
		m.emit(mind.Reply[string]{ID: e.request, Outcome: fmt.Sprintf("%s, %s", st.State, st.Message)})
	}})
}

// A whole framework whose state is in the kernel's store. Against a real cluster
// scheduler.DefaultOptions is enough: a task finds its masters and its token in its
// environment.
func Example() {
	kernel, err := sdktest.Start(sdktest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kernel.Close()
	o := scheduler.DefaultOptions("errands")
	o.Addrs, o.Token = []string{kernel.Addr()}, kernel.Token()

	s, err := scheduler.New(o, scheduler.Program[*errands]{Load: load})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	end := make(chan error)
	go func() { end <- s.Run(ctx) }()
	fmt.Println(scheduler.Ask[string](ctx, s, "exit 7"))
	cancel()
	fmt.Println("the end:", <-end)
	// Output:
	// TASK_FAILED, Command exited with status 7 <nil>
	// the end: <nil>
}

package fleet

import (
	"fmt"
	"slices"
	"testing"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// stored steps the fleet, and again for each transaction that follows.
func stored(w *world, in mind.Input) {
	effects := w.f.Step(w.now, in)
	for {
		i := slices.IndexFunc(effects, func(e mind.Effect) bool { _, is := e.(mind.Commit); return is })
		if i < 0 {
			return
		}
		effects = w.f.Step(w.now, mind.Persisted{Txn: effects[i].(mind.Commit).Txn})
	}
}

// BenchmarkCreate is what the mind needs for one app that is made and deployed, with
// thousands there already.
func BenchmarkCreate(b *testing.B) {
	w := newWorld(b.Fatalf, 2)
	n := 0
	create := func() {
		n++
		a := definition(app.ID(fmt.Sprintf("/app-%d", n)), 0)
		a.PortDefinitions = []app.PortDefinition{{Protocol: "tcp"}}
		stored(w, mind.Request[Change]{ID: uint64(n), Change: Change{Kind: Create, Apps: []*app.App{a}}})
	}
	for range 3000 {
		create()
	}
	b.ResetTimer()
	for range b.N {
		create()
	}
}

// BenchmarkStatus is one status of an instance among a thousand of its app.
func BenchmarkStatus(b *testing.B) {
	w := newWorld(b.Fatalf, 100)
	w.change(Change{Kind: Create, Apps: []*app.App{definition("/app", 1000)}})
	w.run()
	w.advance(mind.ReviveGap)
	live := w.live()
	if len(live) != 1000 {
		b.Fatal(len(live))
	}
	b.ResetTimer()
	for n := range b.N {
		t := live[n%len(live)]
		stored(w, mind.Update{Status: sdk.TaskStatus{TaskID: t.info.TaskID, State: sdk.TaskRunning}})
	}
}

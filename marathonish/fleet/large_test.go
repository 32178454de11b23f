package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
	"github.com/profferhq/proffer/sdk/wire"
)

// TestMoreThanOneTransaction: more instances than the records of fit into one transaction
// are launched on one machine all the same, and when all end at once no write is refused.
func TestMoreThanOneTransaction(t *testing.T) {
	w := newWorld(t.Fatalf, 1)
	w.agents[0].cpus = 60000
	refused := 0
	w.saw = func(e mind.Effect) {
		if c, ok := e.(mind.Commit); ok {
			bytes := 0
			for _, x := range c.Writes {
				bytes += len(x.Key) + len(x.Value)
			}
			if bytes > 1<<20 || len(c.Writes) > 4095 {
				refused++
			}
		}
	}
	a := definition("/app", 5000)
	a.CPUs = 0.01
	w.change(Change{Kind: Create, Apps: []*app.App{a}})
	for range 10 {
		w.run()
		w.advance(mind.ReviveGap)
	}
	live := w.live()
	if len(live) != 5000 {
		t.Fatalf("%d of 5000 instances were launched", len(live))
	}
	var ends []mind.Input
	for _, task := range live {
		ends = append(ends, mind.Update{Status: sdk.TaskStatus{TaskID: task.info.TaskID, State: sdk.TaskFailed, UUID: []byte("x")}})
	}
	w.step(ends...)
	w.run()
	if refused > 0 {
		t.Errorf("%d transactions were larger than the store takes", refused)
	}
}

// TestManyLargeTasks: 1,000 instances of an app of nearly the largest definition are all
// launched, in calls that the kernel and the agent take; so is one of an app that is larger
// than what is launched together.
func TestManyLargeTasks(t *testing.T) {
	w := newWorld(t.Fatalf, 1)
	w.agents[0].cpus = 60000
	largest, calls := 0, 0
	w.saw = func(e mind.Effect) {
		if a, ok := e.(mind.Accept); ok {
			data, err := wire.Marshal(wire.Msgpack, &sdk.Call{Type: sdk.CallAccept, Accept: &sdk.Accept{Operations: []sdk.Operation{{
				Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: a.Tasks}}}}})
			if err != nil {
				t.Fatal(err)
			}
			largest, calls = max(largest, len(data)), calls+1
		}
	}
	a := definition("/app", 1000)
	a.CPUs = 0.01
	a.Env = map[string]string{"LARGE": strings.Repeat("e", 256<<10)}
	a.Labels = map[string]string{"large": strings.Repeat("l", 128<<10)}
	w.change(Change{Kind: Create, Apps: []*app.App{a}})
	for range 60 {
		w.run()
		w.advance(mind.ReviveGap)
	}
	if n := len(w.live()); n != 1000 {
		t.Fatalf("%d of 1000 instances were launched", n)
	}
	t.Logf("%d calls, the largest of %d bytes", calls, largest)
	if bound := 8<<20 + 64<<10; largest > bound {
		t.Errorf("the largest call has %d bytes, and %d are the bound", largest, bound)
	}
	w.f.opt.MaxLaunchBytes = 1000
	w.change(Change{Kind: Create, Apps: []*app.App{definition("/small", 2)}})
	b := definition("/alone", 2)
	b.Env = a.Env
	w.change(Change{Kind: Create, Apps: []*app.App{b}})
	for range 6 {
		w.run()
		w.advance(mind.ReviveGap)
	}
	if n := len(w.live()); n != 1004 {
		t.Errorf("%d of 1004 instances were launched", n)
	}
}

// TestManyAppsAtOnce: each app of a large change gets a service port of its own, and the
// change is worked out while others hardly notice.
func TestManyAppsAtOnce(t *testing.T) {
	w := newWorld(t.Fatalf, 1)
	var list []*app.App
	for i := range 2000 {
		a := definition(app.ID(fmt.Sprintf("/app-%d", i)), 0)
		a.PortDefinitions = []app.PortDefinition{{Protocol: "tcp"}}
		list = append(list, a)
	}
	begin := time.Now()
	w.change(Change{Kind: Put, Apps: list}) // the store refuses it
	w.run()
	for part := range slices.Chunk(list, 250) {
		w.change(Change{Kind: Put, Apps: part})
		w.run()
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	ports := map[int]bool{}
	for _, st := range w.f.Apps() {
		ports[st.App.PortDefinitions[0].Port] = true
	}
	if len(ports) != 2000 || ports[0] {
		t.Errorf("2000 apps have %d service ports", len(ports))
	}
}

package agent

import (
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// TestAnExecutorThatWasNotHeardOf: the launcher died after it had started an executor and
// before it could say so. The container is emptied all the same, also where the next
// launcher finds an executor that nobody wants.
func TestAnExecutorThatWasNotHeardOf(t *testing.T) {
	needRoot(t)
	m := newMachine(t, nil)
	m.leader.run(shell("first", "true", "cpus:0.1;mem:64"))
	m.leader.state("first", sdk.TaskFinished)
	a := m.agent
	started := func(id string) (*box, sdk.Process) {
		t.Helper()
		x := a.newBox(id, "f", "e", "")
		x.executor, x.def = true, true
		spec := a.newSpec(x, nil)
		spec.Path, spec.Args = "/bin/sleep", []string{"sleep", "1000"}
		if err := a.dirs.Prepare(t.Context(), x.c, spec); err != nil {
			t.Fatal(err)
		}
		l, err := a.currentLauncher(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p, err := l.Start(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		return x, p
	}
	x, p := started("unheard")
	x.unheard = true
	a.boxes.add(x)
	m.killKind("launcher")
	a.tryDestroy(x)
	if alive(&p, a.boot) {
		t.Errorf("process %d goes on", p.PID)
	}
	_, p = started("unwanted")
	m.killKind("launcher")
	for limit := time.After(20 * time.Second); alive(&p, a.boot); {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-limit:
			t.Fatalf("process %d, which nobody wants, goes on", p.PID)
		}
	}
}

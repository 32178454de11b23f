package fleet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// TestVersionsAreKept: the last ones, and those that still run, in the store too.
func TestVersionsAreKept(t *testing.T) {
	w := newWorld(t.Fatalf, 1)
	w.f.opt.MaxVersions = 3
	put := func(n int) {
		a := definition("/a", 1)
		cmd := fmt.Sprint("version ", n)
		a.Cmd = &cmd
		a.UpgradeStrategy = app.UpgradeStrategy{MinimumHealthCapacity: 1}
		w.change(Change{Kind: Put, Apps: []*app.App{a}, Force: true})
		w.advance(mind.ReviveGap)
	}
	put(0)
	first := w.f.Versions("/a")[0]
	w.becomes(w.live()[0], sdk.TaskRunning, nil, "")
	for n := range 6 {
		put(n + 1) // none gets ready, so the first one runs on
	}
	versions := w.f.Versions("/a")
	stored := 0
	for k := range w.store {
		if strings.HasPrefix(k, versionsKey("/a")) {
			stored++
		}
	}
	if len(versions) != stored || versions[len(versions)-1] != first {
		t.Errorf("versions %v, %d in the store; %s still runs", versions, stored, first)
	}
	if a, ok := w.f.Version("/a", versions[0]); !ok || *a.Cmd != "version 6" {
		t.Errorf("the newest is %v", a)
	}
	if n := len(versions); n > 3+len(w.live()) {
		t.Errorf("%d versions are kept for %d instances", n, len(w.live()))
	}
}

// TestTooManyDeployments: the limit is Marathon's, and has its status.
func TestTooManyDeployments(t *testing.T) {
	w := newWorld(t.Fatalf, 1)
	w.f.opt.MaxDeployments = 2
	var last uint64
	for n := range 3 {
		last = w.change(Change{Kind: Create, Apps: []*app.App{definition(app.ID(fmt.Sprint("/a", n)), 1)}})
		w.advance(mind.ReviveGap)
	}
	if r, refused := w.replies[last].Refusal.(*app.Refusal); !refused || r.Status != 403 || !strings.Contains(r.Message, "Max number (2)") {
		t.Errorf("the third: %+v", w.replies[last])
	}
}

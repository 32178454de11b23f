package agent

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
)

// TestEndsAreSeen: the watcher tells of the end of each process, also of those that end
// one after the other and those that end together: of an executor's after a second, of a
// task's when its executor has said nothing for five. It ends with its context.
func TestEndsAreSeen(t *testing.T) {
	t.Parallel()
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Fatal(err)
	}
	a := &Agent{inbox: newInbox()}
	w, err := newWatcher(a)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.run(ctx) }()
	want := map[string]bool{}
	for _, sleep := range []string{"0.01", "0.2", "0.2", "0.2", "0.5"} {
		for _, kind := range []string{"task", "executor"} {
			cmd := exec.Command("sleep", sleep)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			id := kind + sleep + "-" + string(rune('a'+len(want)))
			want[id] = true
			x := &box{c: &isolator.Container{ID: id}, executor: kind == "executor", pidfd: -1}
			w.add(x, sdk.Process{PID: int32(cmd.Process.Pid), BootID: strings.TrimSpace(string(boot))})
			if x.pidfd < 0 {
				t.Fatalf("%s is not watched", id)
			}
			defer func() { _ = cmd.Wait() }()
		}
	}
	limit := time.After(20 * time.Second)
	for len(want) > 0 {
		select {
		case <-a.inbox.signal:
		case <-limit:
			t.Fatalf("nobody was told of the ends of %v", want)
		}
		for _, f := range a.inbox.take(nil) {
			switch f := f.(type) {
			case ledger.Vanished:
				delete(want, f.ContainerID)
			case ledger.ExecutorExited:
				delete(want, f.ContainerID)
			}
		}
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-limit:
		t.Fatal("the watcher does not end")
	}
	if err := w.close(); err != nil {
		t.Error(err)
	}
}

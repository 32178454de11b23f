package agent

import (
	"context"
	"syscall"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// keepLauncher keeps a launcher running, and connected, until ctx ends. first is
// the connection that the recovery made.
func (a *Agent) keepLauncher(ctx context.Context, first *executor.Launcher) error {
	l, pause := first, firstRestart
	for ctx.Err() == nil {
		if l != nil {
			l = a.renewLauncher(ctx, l)
		}
		if l != nil {
			a.setLauncher(l)
			pause = firstRestart
			a.hearExits(ctx, l)
			a.setLauncher(nil)
			_ = l.Close() // the launcher goes on, or the connection is broken already
			if ctx.Err() != nil || a.closing.Load() {
				return nil
			}
			a.log.Warn("the launcher is gone; starting another")
		}
		next, err := executor.Spawn(ctx, a.o.ExecutorBinary, a.layout.Runtime())
		if err != nil {
			a.log.Error("the launcher cannot be started; no executor can be", "why", err, "again_in", pause)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, longestRestart)
			l = nil
			continue
		}
		l = next
		a.judgeExecutors(ctx, l)
	}
	return nil
}

// judgeExecutors takes executors whose parent is not this launcher out of use for
// new tasks.
func (a *Agent) judgeExecutors(ctx context.Context, l *executor.Launcher) {
	managed, err := l.List(ctx)
	if err != nil {
		return // the connection broke: its end is noticed
	}
	children := map[string]bool{}
	for i := range managed {
		children[managed[i].ContainerID] = managed[i].Child
		if a.boxes.get(managed[i].ContainerID) == nil && managed[i].Exit == nil {
			_ = l.Signal(ctx, managed[i].ContainerID, syscall.SIGKILL) // nobody wants it
		}
	}
	a.inbox.put(ledger.Parents{Children: children})
}

func (a *Agent) hearExits(ctx context.Context, l *executor.Launcher) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.Done():
			return
		case e, ok := <-l.Exits():
			if !ok {
				return
			}
			a.executorExit(e)
		}
	}
}

func (a *Agent) executorExit(e executor.Exit) {
	if e.ContainerID == "" {
		return
	}
	in := ledger.ExecutorExited{ContainerID: e.ContainerID, Status: -1}
	if e.Known {
		in.Status = e.WaitStatus
	}
	a.inbox.put(in)
}

func (a *Agent) setLauncher(l *executor.Launcher) {
	a.launcherMu.Lock()
	defer a.launcherMu.Unlock()
	a.launcher = l
}

// currentLauncher waits for the launcher for a while: it is started again at once
// when it dies.
func (a *Agent) currentLauncher(ctx context.Context) (*executor.Launcher, error) {
	deadline := time.After(10 * time.Second)
	for {
		a.launcherMu.Lock()
		l := a.launcher
		a.launcherMu.Unlock()
		if l != nil {
			return l, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-deadline:
			return nil, sdk.Errorf(sdk.CodeUnavailable, "", "the launcher cannot be started")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

package agent

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk/executor"
)

const (
	destroyTimeout = 20 * time.Second // one attempt to empty a container
	destroyPause   = time.Second      // before the next
)

// destroyBox has a container emptied by the pool. The ledger hears of it when no
// process is left, and not before: a process that cannot be killed keeps its task
// from ending, and is complained about.
func (a *Agent) destroyBox(e ledger.Destroy) {
	x := a.boxes.get(e.ContainerID)
	if x == nil {
		// Nothing of it was ever made by this start, nor known to it at recovery.
		a.inbox.put(ledger.Emptied{ContainerID: e.ContainerID})
		return
	}
	made := x.kill()
	a.leaveSlot(x)
	a.destroys.submit(func() {
		<-made
		a.tryDestroy(x)
	})
}

func (a *Agent) tryDestroy(x *box) {
	ctx, cancel := context.WithTimeout(context.Background(), destroyTimeout)
	defer cancel()
	err := a.endUnheard(ctx, x)
	switch {
	case err != nil:
	case x.def:
		err = a.endDefault(ctx, x)
	default:
		err = a.chain.Destroy(ctx, x.view())
	}
	if err != nil {
		a.log.Error("a container cannot be emptied; trying again", "container", x.c.ID, "task", x.c.TaskID, "why", err)
		time.AfterFunc(destroyPause, func() { a.destroys.submit(func() { a.tryDestroy(x) }) })
		return
	}
	done := ledger.Emptied{ContainerID: x.c.ID}
	if l, err := a.chain.Reached(ctx, x.view()); err != nil {
		a.log.Warn("limits of an ended container cannot be read", "container", x.c.ID, "why", err)
	} else if l != nil {
		done.Limit = &ledger.Limit{Reason: l.Reason, Message: l.Message, Resources: exceeded(x.view(), l)}
	}
	done.Exit = a.watch.exit(x)
	a.ended.add(x)
	a.inbox.put(done)
	a.cleanGroups(x)
}

// cleanGroups removes what the isolators made. What stays is tried again by the
// janitor, and by the next start.
func (a *Agent) cleanGroups(x *box) {
	if x.def {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), destroyTimeout)
	defer cancel()
	if err := a.chain.Cleanup(ctx, x.view()); err != nil {
		a.log.Warn("a container's groups cannot be removed", "container", x.c.ID, "why", err)
	}
	a.uids.Release(x.c.ID)
}

// endDefault ends the process of a default executor, and only that: its tasks live
// in containers of their own.
func (a *Agent) endDefault(ctx context.Context, x *box) error {
	p := x.view().Process
	if p == nil || !alive(p, a.boot) {
		return nil
	}
	if err := a.watch.signal(x, syscall.SIGKILL); err != nil && err != os.ErrProcessDone {
		return err
	}
	return a.watch.wait(ctx, x)
}

// lookPause is between two looks whether an executor has ended that nobody watches.
const lookPause = 20 * time.Millisecond

// endUnheard ends an executor whose launch was asked of a launcher that died over it. The
// next launcher has taken it over, if it came to be; without groups nobody else knows its
// process.
func (a *Agent) endUnheard(ctx context.Context, x *box) error {
	x.mu.Lock()
	unheard := x.unheard
	x.mu.Unlock()
	if !unheard {
		return nil
	}
	for {
		ended, err := a.lookUnheard(ctx, x)
		if err == nil && ended {
			return nil
		}
		select {
		case <-time.After(lookPause):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// lookUnheard asks the launcher that there is now for the executor, and kills it.
func (a *Agent) lookUnheard(ctx context.Context, x *box) (ended bool, err error) {
	l, err := a.currentLauncher(ctx)
	if err != nil {
		return false, err
	}
	managed, err := l.List(ctx)
	if err != nil {
		return false, err // that launcher is gone, too
	}
	i := slices.IndexFunc(managed, func(m executor.Managed) bool { return m.ContainerID == x.c.ID })
	if i < 0 || managed[i].Exit != nil {
		return true, nil
	}
	return false, l.Signal(ctx, x.c.ID, syscall.SIGKILL)
}

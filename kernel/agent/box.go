package agent

import (
	"context"
	"sync"
	"time"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
)

// box is what the shell knows of one container: enough to prepare and to destroy
// it, nothing that must survive.
type box struct {
	c        *isolator.Container
	executor bool // of an executor, not of a task
	def      bool // of a default executor, which has no groups

	mu     sync.Mutex
	state  boxState
	cancel context.CancelFunc // while making
	made   chan struct{}      // closed when making has ended
	pidfd  int                // -1 while none is held
	began  time.Time
	resize []sdk.Resource // wanted while it was being made
	slot   bool           // holds one of Agent.ahead
	// unheard: a launcher was asked to start it, and did not say that it has: it may run
	unheard bool
	// settled: its executor told the wait status, nobody else has to find it out
	settled bool
}

type boxState uint8

const (
	boxQueued boxState = iota
	boxMaking
	boxMade
	boxDead // being destroyed: nothing is made in it any more
)

// boxes are all containers that are in use or going.
type boxes struct {
	mu     sync.RWMutex
	byID   map[string]*box
	byTask map[boxTask]*box // the newest of each task
}

type boxTask struct {
	framework sdk.FrameworkID
	task      sdk.TaskID
}

func (b *boxes) init() { b.byID, b.byTask = map[string]*box{}, map[boxTask]*box{} }

func (b *boxes) add(x *box) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.byID[x.c.ID] = x
	if x.c.TaskID != "" {
		b.byTask[boxTask{x.c.FrameworkID, x.c.TaskID}] = x
	}
}

func (b *boxes) get(id string) *box {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byID[id]
}

func (b *boxes) remove(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.byID[id]
	if x == nil {
		return
	}
	delete(b.byID, id)
	if key := (boxTask{x.c.FrameworkID, x.c.TaskID}); b.byTask[key] == x {
		delete(b.byTask, key)
	}
}

// list is all boxes, in no order.
func (b *boxes) list() []*box {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]*box, 0, len(b.byID))
	for _, x := range b.byID {
		out = append(out, x)
	}
	return out
}

// executor looks for the newest container of an executor.
func (b *boxes) executor(f sdk.FrameworkID, e sdk.ExecutorID) *box {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var newest *box
	for _, x := range b.byID {
		if x.executor && x.c.FrameworkID == f && x.c.ExecutorID == e && (newest == nil || x.began.After(newest.began)) {
			newest = x
		}
	}
	return newest
}

// find looks for the newest container of a task.
func (b *boxes) find(f sdk.FrameworkID, t sdk.TaskID) *box {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byTask[boxTask{f, t}]
}

// newBox names a container's directories.
func (a *Agent) newBox(id string, f sdk.FrameworkID, e sdk.ExecutorID, t sdk.TaskID) *box {
	return &box{pidfd: -1, made: make(chan struct{}), began: time.Now(), c: &isolator.Container{
		ID: id, FrameworkID: f, ExecutorID: e, TaskID: t,
		SandboxDir: a.layout.Sandbox(f, e, id), RuntimeDir: a.layout.ContainerRuntime(id), LogDir: a.layout.Logs(id),
	}}
}

// begin says whether the box may be made now, and gives the context to make it in.
func (x *box) begin(parent context.Context) (context.Context, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.state != boxQueued {
		return nil, false
	}
	x.state = boxMaking
	ctx, cancel := context.WithCancel(parent)
	x.cancel = cancel
	return ctx, true
}

// finish ends the making; false says that the box is to be destroyed instead.
func (x *box) finish() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cancel()
	close(x.made)
	if x.state == boxDead {
		return false
	}
	x.state = boxMade
	return true
}

// kill has the making end, and returns what to wait for before destroying.
func (x *box) kill() <-chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.state == boxQueued {
		close(x.made)
	}
	if x.cancel != nil {
		x.cancel()
	}
	x.state = boxDead
	return x.made
}

// view is the container as it is now, for isolators.
func (x *box) view() *isolator.Container {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := *x.c
	return &c
}

// resizeBox fits the bounds of a framework's own executor to its tasks.
func (a *Agent) resizeBox(e ledger.Resize) {
	x := a.boxes.get(e.ContainerID)
	if x == nil {
		return
	}
	x.mu.Lock()
	made := x.state == boxMade
	if made {
		x.c.Resources = e.Resources
	} else {
		x.resize = e.Resources
	}
	x.mu.Unlock()
	if !made {
		return
	}
	// A few small writes; the LAUNCH that follows must not overtake them.
	if err := a.chain.Resize(context.Background(), x.view()); err != nil {
		a.log.Debug("an executor's bounds could not all be changed", "container", x.c.ID, "why", err)
	}
}

// adopt rebuilds the box of a container that an earlier agent has made.
func (a *Agent) adopt(c ledger.Container) *box {
	task := sdk.TaskID("")
	if c.Task != nil {
		task = c.Task.TaskID
	}
	x := a.newBox(c.ID, c.Framework.ID, c.Executor.ExecutorID, task)
	x.executor, x.def = c.Task == nil, c.Task == nil && c.Default
	x.state = boxMade
	close(x.made)
	x.c.Process = c.Process
	if c.Task != nil {
		x.c.Resources, x.c.Limits, x.c.Info = c.Task.Resources, c.Task.Limits, c.Task.Container
	} else {
		x.c.Resources, x.c.Info = c.Executor.Resources, c.Executor.Container
	}
	if uid, ok := ownerOf(x.c.SandboxDir); ok {
		x.c.User.UID, x.c.User.Switch = uid, a.root
		if uid >= a.o.FirstUID && uid <= a.o.LastUID {
			a.uids.Reserve(c.ID, uid)
		}
	}
	return x
}

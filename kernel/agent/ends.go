package agent

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/profferhq/proffer/kernel/agent/sandboxes"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/logs"
)

const (
	lingerMin    = 200 * time.Millisecond // an executor drains the output of an empty container within this
	lingerMax    = 10 * time.Second       // after this what is still in a FIFO is given up
	collectEvery = 30 * time.Second
	// The janitor looks this often while containers end, and for busyFor after the last has.
	busyEvery = 100 * time.Millisecond
	idleEvery = time.Second
	busyFor   = 10 * time.Second
)

// ends keeps the books of containers that have ended: their runtime directories go
// when the last output is drained, sandboxes and logs by their age.
type ends struct {
	a         *Agent
	collector *sandboxes.Collector
	index     *index

	woken chan struct{} // a container has ended

	mu     sync.Mutex
	linger []lingering
	last   time.Time       // when a container has ended last
	done   map[string]bool // emptied, and still lingering
}

type lingering struct {
	x  *box
	at time.Time
}

func newEnds(a *Agent) (*ends, error) {
	p := sandboxes.Policy{Keep: a.o.SandboxKeep, Pressure: a.o.SandboxFull}
	x, err := openIndex(indexPath(a.layout.LogRoot()), a.log, func(id string) bool {
		_, err := os.Lstat(a.layout.Logs(id))
		return err == nil
	})
	return &ends{a: a, collector: sandboxes.NewCollector(p, a.o.Dir), index: x, woken: make(chan struct{}, 1), done: map[string]bool{}}, err
}

// add takes a container over that was emptied.
func (e *ends) add(x *box) {
	if err := e.index.add(x); err != nil {
		e.a.log.Warn("the output of an ended task will not be found after a restart", "task", x.c.TaskID, "why", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = time.Now()
	e.linger = append(e.linger, lingering{x, e.last})
	e.done[x.c.ID] = true
	select {
	case e.woken <- struct{}{}:
	default:
	}
}

// pace is how long the janitor may rest.
func (e *ends) pace(now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.linger) > 0 || now.Sub(e.last) < busyFor {
		return busyEvery
	}
	return idleEvery
}

// emptied says whether no process of a container is left.
func (e *ends) emptied(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.done[id]
}

// run is the janitor.
func (e *ends) run(ctx context.Context) error {
	short, long := time.NewTicker(busyEvery), time.NewTicker(collectEvery)
	defer short.Stop()
	defer long.Stop()
	e.collect()
	rests := busyEvery
	pace := func() {
		if p := e.pace(time.Now()); p != rests {
			rests = p
			short.Reset(p)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.woken:
			pace()
		case now := <-short.C:
			pace()
			e.release(ctx, now)
			e.relieve()
		case <-long.C:
			e.collect()
		}
	}
}

// release lets go of the runtime directories of those that have drained.
func (e *ends) release(ctx context.Context, now time.Time) {
	e.mu.Lock()
	var ready []lingering
	keep := e.linger[:0]
	for _, l := range e.linger {
		age := now.Sub(l.at)
		if age >= lingerMin && (age >= lingerMax || e.isDrained(l.x)) {
			ready = append(ready, l)
		} else {
			keep = append(keep, l)
		}
	}
	clear(e.linger[len(keep):])
	e.linger = keep
	e.mu.Unlock()
	for _, l := range ready {
		e.forget(ctx, l)
	}
}

func (e *ends) isDrained(x *box) bool {
	for _, stream := range []string{"stdout", "stderr"} {
		if n, err := logs.Pending(x.c.RuntimeDir, stream); err == nil && n > 0 {
			return false
		}
	}
	return true
}

func (e *ends) forget(ctx context.Context, l lingering) {
	a, x := e.a, l.x
	if x.executor {
		a.launcherMu.Lock()
		launcher := a.launcher
		a.launcherMu.Unlock()
		if launcher != nil {
			quick, cancel := context.WithTimeout(ctx, 5*time.Second)
			if err := launcher.Forget(quick, x.c.ID); err != nil && sdk.CodeOf(err) != sdk.CodeNotFound {
				a.log.Debug("the launcher keeps an ended executor", "container", x.c.ID, "why", err)
			}
			cancel()
		}
	}
	if err := a.dirs.Cleanup(ctx, x.c); err != nil {
		a.log.Warn("a container's runtime directory cannot be removed", "container", x.c.ID, "why", err)
	}
	a.boxes.remove(x.c.ID)
	e.mu.Lock()
	delete(e.done, x.c.ID)
	e.mu.Unlock()
	e.collector.Add(sandboxes.Ended{Container: x.c.ID, Paths: []string{x.c.SandboxDir, x.c.LogDir}, At: l.at})
}

// relieve makes room as soon as the disk is short of it: small tasks with much
// output fill one within seconds.
func (e *ends) relieve() {
	if e.collector.Len() == 0 {
		return
	}
	if e.collector.Full() {
		e.collect()
	}
}

// short says that the disk has less room than it should have.
func (e *ends) short() bool { return e.collector.Full() }

// going says that there are directories that can go, now or soon.
func (e *ends) going() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.linger) > 0 || e.collector.Len() > 0
}

// collect removes sandboxes and logs whose time is over.
func (e *ends) collect() {
	removed, err := e.collector.Collect(time.Now())
	if err != nil {
		e.a.log.Warn("ended sandboxes cannot be removed", "why", err)
	}
	e.index.remove(removed)
	if len(removed) > 0 {
		e.a.log.Info("removed sandboxes of ended tasks", "count", len(removed))
		e.prune()
	}
}

// prune removes the levels above sandboxes that are empty now.
func (e *ends) prune() {
	top := e.a.layout.Sandboxes()
	frameworks, err := os.ReadDir(top)
	if err != nil {
		return
	}
	for _, f := range frameworks {
		dir := filepath.Join(top, f.Name())
		levels, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, l := range levels {
			_ = os.Remove(filepath.Join(dir, l.Name())) // fails unless it is empty
		}
		_ = os.Remove(dir)
	}
}

// recover finds the sandboxes and logs of containers that ended before this start.
func (e *ends) recover(inUse map[string]bool) {
	seen := map[string]bool{}
	note := func(id, sandbox string, at time.Time) {
		if inUse[id] || seen[id] {
			return
		}
		seen[id] = true
		paths := []string{e.a.layout.Logs(id)}
		if sandbox != "" {
			paths = append(paths, sandbox)
		}
		e.collector.Add(sandboxes.Ended{Container: id, Paths: paths, At: at})
	}
	found, _ := filepath.Glob(filepath.Join(e.a.layout.Sandboxes(), "*", "*", "*"))
	for _, p := range found {
		if st, err := os.Stat(p); err == nil {
			note(filepath.Base(p), p, st.ModTime())
		}
	}
	logDirs, _ := os.ReadDir(e.a.layout.LogRoot())
	for _, d := range logDirs {
		if st, err := d.Info(); err == nil && d.IsDir() {
			note(d.Name(), "", st.ModTime())
		}
	}
}

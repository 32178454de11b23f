package consensus

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
)

// diskFailed is what a master says that ends because of its disk.
func diskFailed(path, what string, err error) error {
	dir := filepath.Dir(path)
	why, todo := "its disk failed", "see what is wrong with the disk of "+dir
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		why, todo = "its disk is full", "make room in "+dir
	}
	return fmt.Errorf("this master ends, because %s: the write of %s to %s failed: %w. What it has not confirmed yet may be lost, and nothing else; "+
		"%s, then start it again: it takes what it has missed from the other masters", why, what, path, err, todo)
}

// slowElections is how long a leader's write may take: a leader whose disk stands still can
// not commit anything, but would go on telling the others that it lives, and nobody would
// take its place. A dead one is missed after one election.
const slowElections = 4

// handBound is how long a leader with a slow disk tries to hand over.
const handBound = 10 * time.Second

// watch tells how long a write has been going on: again and again, until it is over. It
// counts its own ticks and not the time, because a process that was stopped for a while
// must not take that for a slow disk.
type watch struct {
	every time.Duration
	tell  func(ticks int)
	over  func() // told once after that
}

// begin is called before a write, what it gives after it.
func (w *watch) begin() (over func()) {
	if w == nil {
		return func() {}
	}
	var mu sync.Mutex
	var timer *time.Timer
	ticks, done := 0, false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(w.every, func() {
		mu.Lock()
		defer mu.Unlock()
		if !done {
			ticks++
			w.tell(ticks)
			timer.Reset(w.every)
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done = true
		timer.Stop()
		if ticks > 0 {
			w.over()
		}
	}
}

// slow is told that a write of the log has been going on for so many elections. A leader
// then falls silent, so that the others choose one of themselves, whose first heartbeat
// deposes it; should the write end before that, it hands over.
func (n *Node) slow(elections int) {
	if elections < slowElections || n.silent.Load() || !n.mu.TryRLock() { // who holds it may be waiting for this very write
		return
	}
	defer n.mu.RUnlock() // Close waits for what was begun before it
	if n.closed || n.inst == nil || !n.inst.leadsOthers() {
		return
	}
	n.opts.Log.Warn("the disk is slow: one write has taken longer than the others would wait for a dead leader; this master lets another lead",
		"file", n.store.db.Path(), "so far", time.Duration(elections)*n.opts.Many.Election)
	n.silent.Store(true)
	done := make(chan struct{})
	n.handing.Store(&done) // the next group would only wait for the disk, too
	inst := n.inst
	n.wait.Go(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(n.life, handBound)
		defer cancel()
		if err := n.handOnce(ctx, inst, ""); err != nil && n.leadsOthers() { // looked at after the write
			n.opts.Log.Warn("nobody has taken the leadership over", "error", err)
		}
	})
}

// fast is told that the write has ended.
func (n *Node) fast() { n.silent.Store(false) }

// leadsOthers tells whether this master leads and another could.
func (n *Node) leadsOthers() bool {
	inst, err := n.instance()
	return err == nil && inst.leadsOthers()
}

func (i *instance) leadsOthers() bool {
	voters := 0
	for _, s := range i.raft.GetConfiguration().Configuration().Servers {
		if s.Suffrage == raft.Voter {
			voters++
		}
	}
	return voters > 1 && i.leads()
}

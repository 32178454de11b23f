package supervise

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// Watched is one process that a Waiter waits for.
type Watched struct {
	ContainerID string
	RuntimeDir  string
	Process     sdk.Process
	PIDFD       int  // owned by the Waiter; -1 for a process that is gone already
	Child       bool // of this process; the end of another is asked for, not waited
}

const (
	// foreignPause is how soon the end of a process that another must reap is asked
	// for again.
	foreignPause = 20 * time.Millisecond
	// recordPause is how soon a record that could not be written is tried again.
	recordPause = 500 * time.Millisecond
)

// Waiter tells the end of processes.
type Waiter struct {
	runtime string
	ended   func(w Watched, e executor.Exit)
	poll    *poller

	mu      sync.Mutex
	watched map[int]Watched // by pidfd
	again   []retry
	closed  bool
	done    chan struct{}
}

// retry is a process that has ended, and whose end could not be told yet.
type retry struct {
	w  Watched
	at time.Time
}

// NewWaiter starts a waiter. runtime is where launchers and agents keep their
// records. ended is called once for each process, after its record is written and
// before it is reaped.
func NewWaiter(runtime string, ended func(Watched, executor.Exit)) (*Waiter, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	w := &Waiter{runtime: runtime, ended: ended, poll: p, watched: map[int]Watched{}, done: make(chan struct{})}
	go w.loop()
	return w, nil
}

// Add begins to wait for a process.
func (w *Waiter) Add(p Watched) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.PIDFD < 0 {
		w.again = append(w.again, retry{w: p})
		w.poll.wake()
		return nil
	}
	w.watched[p.PIDFD] = p
	if err := w.poll.add(p.PIDFD, unix.EPOLLIN|unix.EPOLLONESHOT); err != nil {
		delete(w.watched, p.PIDFD)
		return err
	}
	return nil
}

// Close ends the waiter; nothing is told after it returns. It must not be called
// from the callback.
func (w *Waiter) Close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.poll.wake()
	<-w.done
}

func (w *Waiter) loop() {
	defer close(w.done)
	events := make([]unix.EpollEvent, 64)
	for {
		n, err := w.poll.wait(events, w.untilRetry())
		if err != nil {
			panic(err) // only a broken set of descriptors can do that
		}
		w.mu.Lock()
		var ready []Watched
		for _, ev := range events[:n] {
			if p, ok := w.watched[int(ev.Fd)]; ok {
				ready = append(ready, p)
			} else {
				w.poll.woken(int(ev.Fd))
			}
		}
		ready = append(ready, w.due(time.Now())...)
		closed := w.closed
		w.mu.Unlock()
		if closed {
			w.closeAll()
			return
		}
		for _, p := range ready {
			w.look(p)
		}
	}
}

// look tells the end of a process that seems to have ended.
func (w *Waiter) look(p Watched) {
	e, ok, err := w.exit(p)
	pause := foreignPause
	if ok {
		e.ContainerID = p.ContainerID
		if err = executor.NoteExit(p.RuntimeDir, e); err == nil || errors.Is(err, unix.ENOENT) {
			w.forget(p)
			w.ended(p, e)
			return
		}
		pause = recordPause
	}
	if err != nil {
		pause = recordPause
	}
	w.mu.Lock()
	w.again = append(w.again, retry{w: p, at: time.Now().Add(pause)})
	w.mu.Unlock()
}

func (w *Waiter) exit(p Watched) (executor.Exit, bool, error) {
	if !p.Child {
		return executor.FindExit(w.runtime, p.Process, p.PIDFD)
	}
	status, ok, err := executor.Peek(int(p.Process.PID))
	if errors.Is(err, unix.ECHILD) {
		return executor.FindExit(w.runtime, p.Process, p.PIDFD)
	}
	return executor.Exit{Process: p.Process, Known: true, WaitStatus: status, Nanos: time.Now().UnixNano()}, ok, err
}

func (w *Waiter) forget(p Watched) {
	if p.PIDFD < 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.watched, p.PIDFD)
	w.poll.remove(p.PIDFD)
	_ = unix.Close(p.PIDFD)
}

// due takes the retries whose time has come.
func (w *Waiter) due(now time.Time) (ready []Watched) {
	rest := w.again[:0]
	for _, r := range w.again {
		if r.at.After(now) {
			rest = append(rest, r)
		} else {
			ready = append(ready, r.w)
		}
	}
	w.again = rest
	return ready
}

func (w *Waiter) untilRetry() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait := time.Duration(-1)
	for _, r := range w.again {
		if d := max(0, time.Until(r.at)); wait < 0 || d < wait {
			wait = d
		}
	}
	return wait
}

func (w *Waiter) closeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for fd := range w.watched {
		_ = unix.Close(fd)
	}
	w.poll.close()
}

package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// watcher holds a pidfd of every process that the agent was told of, in one epoll
// set. It is how the agent learns of an end that its parent could not tell, and
// from Linux 6.15 on of its exit status.
type watcher struct {
	a     *Agent
	epoll int
	set   *os.File // the same, as the runtime waits for it: no thread of ours does
	raw   syscall.RawConn

	mu    sync.Mutex
	boxes map[int32]*box // by pidfd

	gone []goneBox // run's
}

// goneBox is a task whose process was seen to end.
type goneBox struct {
	x  *box
	at time.Time
}

// unsaidAfter is how long an executor may take to tell of an end before the ledger
// hears that it happened.
const unsaidAfter = 5 * time.Second

func newWatcher(a *Agent) (*watcher, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watch processes: %w", err)
	}
	w := &watcher{a: a, epoll: fd, boxes: map[int32]*box{}}
	if err = unix.SetNonblock(fd, true); err == nil { // so that os.NewFile hands it to the runtime
		w.set = os.NewFile(uintptr(fd), "epoll")
		w.raw, err = w.set.SyscallConn()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watch processes: %w", err), unix.Close(fd))
	}
	return w, nil
}

// add begins to watch the process of a container. It is called before anybody is
// told that the process runs: a pidfd opened later could not tell its exit.
func (w *watcher) add(x *box, p sdk.Process) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.pidfd >= 0 {
		return
	}
	fd, err := executor.Open(p)
	if err != nil {
		return // it has ended already; its parent tells how
	}
	x.pidfd, x.c.Process = fd, &p
	w.mu.Lock()
	w.boxes[int32(fd)] = x
	w.mu.Unlock()
	_ = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(fd)})
}

// run tells the ledger of ends, until ctx ends.
func (w *watcher) run(ctx context.Context) error {
	past := time.Unix(1, 0)
	stop := context.AfterFunc(ctx, func() { _ = w.set.SetReadDeadline(past) })
	defer stop()
	events := make([]unix.EpollEvent, 64)
	for {
		var until time.Time // with nothing unsaid, the next end is all that is waited for
		if len(w.gone) > 0 {
			until = w.gone[0].at.Add(unsaidAfter)
		}
		if err := w.set.SetReadDeadline(until); err != nil {
			return fmt.Errorf("watch processes: %w", err)
		}
		if ctx.Err() != nil { // its end may have been before the deadline
			return nil
		}
		n, err := w.await(events)
		if err != nil {
			return fmt.Errorf("watch processes: %w", err)
		}
		for i := range n {
			w.mu.Lock()
			x := w.boxes[events[i].Fd]
			w.mu.Unlock()
			if x != nil {
				w.ended(x)
			}
		}
		w.unsaid(time.Now())
	}
}

// await waits for ends until the deadline of the set, which is no error, and gives how
// many there are.
func (w *watcher) await(events []unix.EpollEvent) (n int, err error) {
	var failed error
	err = w.raw.Read(func(fd uintptr) bool {
		n, failed = unix.EpollWait(int(fd), events, 0) // which does not wait
		return n != 0
	})
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(failed, syscall.EINTR):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return n, failed
}

// unsaid tells the ledger of ends that no executor has told of.
func (w *watcher) unsaid(now time.Time) {
	n := 0
	for _, g := range w.gone {
		if now.Sub(g.at) < unsaidAfter {
			break
		}
		n++
		g.x.mu.Lock()
		settled := g.x.settled || g.x.pidfd < 0
		g.x.mu.Unlock()
		if !settled {
			w.a.inbox.put(ledger.Vanished{ContainerID: g.x.c.ID})
		}
	}
	w.gone = w.gone[n:]
}

// ended tells of one end. A task's is as a rule told by its executor first, and
// the ledger waits for that; an executor's by the launcher, unless that is dead.
func (w *watcher) ended(x *box) {
	if x.executor {
		id := x.c.ID
		time.AfterFunc(time.Second, func() {
			w.a.inbox.put(ledger.ExecutorExited{ContainerID: id, Status: -1})
		})
		return
	}
	w.gone = append(w.gone, goneBox{x, time.Now()})
}

// exit is the raw wait status of a container's process, nil when it lives or
// nobody can tell; it lets go of the pidfd.
func (w *watcher) exit(x *box) *int32 {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.pidfd < 0 {
		return nil
	}
	var status *int32
	if x.c.Process != nil && !x.executor && !x.settled {
		e, ok, err := executor.FindExit(w.a.layout.Runtime(), *x.c.Process, x.pidfd)
		if err == nil && ok && e.Known {
			status = &e.WaitStatus
		}
	}
	w.mu.Lock()
	delete(w.boxes, int32(x.pidfd))
	w.mu.Unlock()
	_ = unix.Close(x.pidfd) // which takes it out of the epoll set
	x.pidfd = -1
	return status
}

// signal signals the process of a container, never another that has its pid.
func (w *watcher) signal(x *box, s syscall.Signal) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.pidfd < 0 {
		if x.c.Process == nil {
			return os.ErrProcessDone
		}
		fd, err := executor.Open(*x.c.Process)
		if err != nil {
			return os.ErrProcessDone
		}
		x.pidfd = fd
	}
	if err := unix.PidfdSendSignal(x.pidfd, unix.Signal(s), nil, 0); err != nil {
		if errors.Is(err, unix.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
	return nil
}

// wait waits until the process of a container has ended.
func (w *watcher) wait(ctx context.Context, x *box) error {
	p := x.view().Process
	for p != nil && alive(p, w.a.boot) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d does not end", p.PID)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

func (w *watcher) close() error { return w.set.Close() }

// alive says whether the very process lives, this boot's.
func alive(p *sdk.Process, boot string) bool {
	return p.BootID == boot && executor.Alive(*p)
}

// ownerOf is the uid that a directory belongs to.
func ownerOf(path string) (uint32, bool) {
	st, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return sys.Uid, true
}

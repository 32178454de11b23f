package up

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// supervisor starts processes from one thread and reaps every child, those included that
// it inherits: it is a subreaper, so that the launcher of a killed agent stays below it.
type supervisor struct {
	out    io.Writer
	starts chan startRequest
	done   chan struct{}

	mu      sync.Mutex
	waiting map[int]chan syscall.WaitStatus
}

type startRequest struct {
	argv  []string
	reply chan startReply
}

type startReply struct {
	pid   int
	ended <-chan syscall.WaitStatus
	err   error
}

func newSupervisor(out io.Writer) (*supervisor, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("become a subreaper: %w", err)
	}
	s := &supervisor{out: out, starts: make(chan startRequest), done: make(chan struct{}), waiting: map[int]chan syscall.WaitStatus{}}
	go s.starter()
	go s.reaper()
	return s, nil
}

// close ends the two goroutines; no daemon may be left.
func (s *supervisor) close() { close(s.done) }

func (s *supervisor) talk(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "proffer up: "+format+"\n", args...)
}

func (s *supervisor) start(argv []string) (int, <-chan syscall.WaitStatus, error) {
	req := startRequest{argv: argv, reply: make(chan startReply, 1)}
	s.starts <- req
	r := <-req.reply
	return r.pid, r.ended, r.err
}

// starter makes the children. It keeps its thread for as long as they live: their
// parent-death signal is sent when the thread that made them ends.
func (s *supervisor) starter() {
	runtime.LockOSThread()
	for {
		select {
		case req := <-s.starts:
			req.reply <- s.spawn(req.argv)
		case <-s.done:
			return
		}
	}
}

func (s *supervisor) spawn(argv []string) startReply {
	files, err := startFiles()
	if err != nil {
		return startReply{err: err}
	}
	defer files[0].Close()
	// The reaper must not see the child before its channel stands.
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := os.StartProcess(argv[0], argv, &os.ProcAttr{Files: files, Env: os.Environ(),
		Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}})
	if err != nil {
		return startReply{err: err}
	}
	ended := make(chan syscall.WaitStatus, 1)
	s.waiting[p.Pid] = ended
	pid := p.Pid
	_ = p.Release() // the reaper waits for it
	return startReply{pid: pid, ended: ended}
}

func (s *supervisor) reaper() {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	defer signal.Stop(children)
	for {
		select {
		case <-children:
			s.reap()
		case <-s.done:
			return
		}
	}
}

// reap collects every child that has ended. One of ours is told to its owner; an inherited
// one needs no more than this, for whoever it belonged to watches it by pidfd.
func (s *supervisor) reap() {
	for {
		var status syscall.WaitStatus
		s.mu.Lock()
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		ended := s.waiting[pid]
		delete(s.waiting, pid)
		s.mu.Unlock()
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if ended != nil {
			ended <- status
		}
	}
}

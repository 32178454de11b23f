package launcher

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/executor/supervise"
	"github.com/profferhq/proffer/sdk/executor"
)

// Options say where a launcher works.
type Options struct {
	Runtime string // the agent's runtime directory
	Log     *slog.Logger
}

// Launcher is the process behind the socket.
type Launcher struct {
	o      Options
	lock   *supervise.Lock
	listen *net.UnixListener
	waiter *supervise.Waiter
	drain  *supervise.Drain
	reaper *executor.Reaper

	inbox chan func()
	done  chan struct{} // closed when the loop has ended

	// The loop's own.
	managed map[string]*managed // by container id
	conns   map[*conn]struct{}
	ending  bool
	upgrade string
}

// New locks the runtime directory, adopts what a predecessor left in it, and
// begins to listen. CodeConflict: a launcher serves there already.
func New(o Options) (*Launcher, error) {
	l := &Launcher{o: o, inbox: make(chan func(), 64), done: make(chan struct{}),
		managed: map[string]*managed{}, conns: map[*conn]struct{}{}}
	var err error
	if l.lock, err = supervise.TakeLock(filepath.Join(o.Runtime, "launcher.lock")); err != nil {
		return nil, err
	}
	if l.reaper, err = executor.NewReaper(o.Runtime, "launcher", l.isManaged); err != nil {
		return nil, err
	}
	if l.waiter, err = supervise.NewWaiter(o.Runtime, l.ended); err != nil {
		return nil, err
	}
	if l.drain, err = supervise.NewDrain(o.Log); err != nil {
		return nil, err
	}
	if err := l.adopt(); err != nil {
		return nil, err
	}
	socket := filepath.Join(o.Runtime, executor.LauncherSocket)
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if l.listen, err = net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"}); err != nil {
		return nil, err
	}
	return l, os.Chmod(socket, 0o600)
}

// Run serves until it was told to end and no process is left below it. ctx ends it
// the same way. The processes are never killed.
func (l *Launcher) Run(ctx context.Context) error {
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	defer signal.Stop(children)
	go l.accept()

	// Also without a signal: an exit record that a full disk refused is tried again.
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	ended := ctx.Done()
	l.reap()
	for {
		if l.upgrade != "" {
			l.execute()
		}
		if l.ending && l.empty() {
			close(l.done) // lets go whoever waits to hand in a function
			return l.close()
		}
		select {
		case f := <-l.inbox:
			f()
		case <-children:
			l.reap()
		case <-tick.C:
			l.reap()
		case <-ended:
			l.ending, ended = true, nil
		}
	}
}

// do runs f in the loop, or not at all when the loop has ended.
func (l *Launcher) do(f func()) {
	select {
	case l.inbox <- f:
	case <-l.done:
	}
}

func (l *Launcher) reap() {
	ended, err := l.reaper.Reap()
	if err != nil {
		l.o.Log.Error("ends of inherited processes are not recorded yet", "error", err)
	}
	for _, e := range ended {
		l.o.Log.Debug("an inherited process ended", "pid", e.Process.PID, "status", e.WaitStatus, "cgroup", e.Cgroup)
	}
}

// empty tells whether no process is below us, inherited ones included.
func (l *Launcher) empty() bool {
	for _, m := range l.managed {
		if m.exit == nil {
			return false
		}
	}
	return !executor.HasChildren()
}

// execute puts a new binary in our place. When it cannot, we go on.
func (l *Launcher) execute() {
	binary := l.upgrade
	l.upgrade = ""
	l.o.Log.Info("upgrade", "binary", binary)
	for c := range l.conns {
		c.flush()
	}
	l.o.Log.Error("the upgrade failed", "error", l.lock.Exec(binary))
}

func (l *Launcher) close() error {
	err := l.listen.Close()
	for c := range l.conns {
		c.flush()
		c.close()
	}
	l.waiter.Close()
	l.drain.Close()
	return errors.Join(err, l.reaper.Close())
}

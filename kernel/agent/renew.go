package agent

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk/executor"
)

// An upgrade of this machine replaces the files of both programs and restarts the agent.
// The agent then has the launcher, and each executor as it subscribes, execute the new
// file in its place: their children, and with them the tasks, stay.

// renewals are the processes that were told to execute another file: once each for a
// file, whatever came of it.
type renewals struct {
	mu   sync.Mutex
	told map[renewal]bool
}

type renewal struct {
	pid         int
	device, ino uint64
}

// first notes that a process is told to execute the file; false when it was before.
func (r *renewals) first(pid int, file os.FileInfo) bool {
	st, ok := file.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	key := renewal{pid, st.Dev, st.Ino}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told == nil {
		r.told = map[renewal]bool{}
	}
	was := r.told[key]
	r.told[key] = true
	return !was
}

// outdated tells whether a process runs another file than the one that is the executor's
// program now, and at which path it was started.
func outdated(pid int, program string) (path string, file os.FileInfo, old bool) {
	link := filepath.Join("/proc", strconv.Itoa(pid), "exe")
	path, err := os.Readlink(link)
	if err != nil {
		return "", nil, false // gone, or not ours to see
	}
	runs, err1 := os.Stat(link)
	file, err2 := os.Stat(program)
	if err1 != nil || err2 != nil {
		return "", nil, false
	}
	return strings.TrimSuffix(path, " (deleted)"), file, !os.SameFile(runs, file)
}

// renewLauncher has a launcher of an older file execute the new one, and connects to it
// again; the connection that it gives is l where nothing had to be done.
func (a *Agent) renewLauncher(ctx context.Context, l *executor.Launcher) *executor.Launcher {
	_, file, old := outdated(l.PID(), a.o.ExecutorBinary)
	if !old || !a.renewals.first(l.PID(), file) {
		return l
	}
	a.log.Info("the launcher runs an older program; it executes the new one", "pid", l.PID(), "binary", a.o.ExecutorBinary)
	if err := l.Upgrade(ctx, a.o.ExecutorBinary); err != nil {
		a.log.Warn("the launcher goes on with its program", "why", err)
		return l
	}
	ctx, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	select {
	case <-l.Done():
	case <-ctx.Done():
		a.log.Warn("the launcher goes on with its program; its log says why", "pid", l.PID())
		return l
	}
	_ = l.Close() // ended
	for tick := time.NewTicker(renewTick); ; {
		if next, err := executor.Dial(ctx, filepath.Join(a.layout.Runtime(), executor.LauncherSocket)); err == nil {
			tick.Stop()
			return next
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return nil // started anew by the caller
		}
	}
}

const (
	renewTimeout = 5 * time.Second
	renewTick    = 10 * time.Millisecond
)

// renewExecutor has a default executor that subscribes, and runs an older file of the
// same path, execute the new one. It subscribes once more then.
func (a *Agent) renewExecutor(pid int) {
	path, file, old := outdated(pid, a.o.ExecutorBinary)
	program, err := filepath.EvalSymlinks(a.o.ExecutorBinary)
	if !old || err != nil || path != program || !a.renewals.first(pid, file) {
		return
	}
	a.log.Info("an executor runs an older program; it executes the new one", "pid", pid, "binary", a.o.ExecutorBinary)
	if err := unix.Kill(pid, unix.SIGUSR2); err != nil {
		a.log.Warn("the executor goes on with its program", "pid", pid, "why", err)
	}
}

package executor

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// Reaper collects the orphans of a child subreaper: the launcher's, and those of a
// dead launcher at the agent. It belongs to one goroutine.
type Reaper struct {
	known func(pid int) bool
	log   *exitLog
	boot  string
}

// NewReaper makes the calling process a child subreaper. name ("agent") names the
// record file below runtime; known tells the pids that somebody else in this
// process waits for, such as those of os/exec, which are left alone.
func NewReaper(runtime, name string, known func(pid int) bool) (*Reaper, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, os.NewSyscallError("prctl PR_SET_CHILD_SUBREAPER", err)
	}
	boot, err := bootID()
	if err != nil {
		return nil, err
	}
	log, err := openExitLog(runtime, name)
	if err != nil {
		return nil, err
	}
	return &Reaper{known: known, log: log, boot: boot}, nil
}

// Reap records and reaps every orphan that has ended, and tells them; call it at
// each SIGCHLD. When a record cannot be written the process stays a zombie, to be
// found by the next call.
func (r *Reaper) Reap() ([]Exit, error) {
	var ended []Exit
	for {
		info, err := waitid(unix.P_ALL, 0, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT)
		if errors.Is(err, unix.ECHILD) || err == nil && info.pid == 0 {
			return ended, nil
		}
		if err != nil {
			return ended, err
		}
		if r.known(info.pid) {
			// The same one would come again and again until its waiter has reaped
			// it, and hide the others.
			return r.reapOthers(ended)
		}
		if ended, err = r.reap(info.pid, ended); err != nil {
			return ended, err
		}
	}
}

// reapOthers is Reap by a look at every process of the machine.
func (r *Reaper) reapOthers(ended []Exit) ([]Exit, error) {
	self := os.Getpid()
	dir, err := os.ReadDir("/proc")
	for _, d := range dir {
		pid, err := strconv.Atoi(d.Name())
		if err != nil || r.known(pid) {
			continue
		}
		if s, err := readStat(pid); err != nil || s.parent != self || s.state != 'Z' {
			continue
		}
		if ended, err = r.reap(pid, ended); err != nil {
			return ended, err
		}
	}
	return ended, err
}

// reap records and reaps one orphan. One that somebody else has collected since we
// saw it, such as os/exec, was no orphan.
func (r *Reaper) reap(pid int, ended []Exit) ([]Exit, error) {
	e, ok, err := r.peek(pid)
	if err == nil && ok {
		err = r.log.append(e)
	}
	if err == nil && ok {
		err = Reap(pid)
	}
	if errors.Is(err, unix.ECHILD) || errors.Is(err, fs.ErrNotExist) || err == nil && !ok {
		return ended, nil
	}
	if err != nil {
		return ended, err
	}
	return append(ended, e), nil
}

func (r *Reaper) peek(pid int) (Exit, bool, error) {
	status, ok, err := Peek(pid)
	if err != nil || !ok {
		return Exit{}, false, err
	}
	s, err := readStat(pid)
	return Exit{Process: sdk.Process{PID: int32(pid), StartTime: s.startTime, BootID: r.boot},
		Known: true, WaitStatus: status, Nanos: time.Now().UnixNano(), Cgroup: groupOf(pid)}, true, err
}

// Close releases the record file; the subreaper flag stays.
func (r *Reaper) Close() error {
	r.log.close()
	return nil
}

// groupOf is the v2 group of a process, zombies included; "" if it has none. In
// the v1 hierarchies the kernel shows every zombie at the root.
func groupOf(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return ""
	}
	for line := range bytes.Lines(b) {
		if path, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("0::")); ok {
			return string(path)
		}
	}
	return ""
}

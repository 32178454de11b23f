package executor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// Started is a process that Start made.
type Started struct {
	Process sdk.Process
	PIDFD   int // readable once the process has ended
	Stdout  int // the FIFO of its standard output, open for reading
	Stderr  int
}

// Close releases the descriptors; the process runs on.
func (s *Started) Close() {
	for _, fd := range []*int{&s.PIDFD, &s.Stdout, &s.Stderr} {
		if *fd >= 0 {
			_ = unix.Close(*fd)
			*fd = -1
		}
	}
}

// LaunchError is a launch that did not happen; nothing is left of it.
type LaunchError struct {
	Step string // such as "join cgroup", "set user 65534", "execute program"
	Path string // the file or directory that the step was about, if any
	Err  error
	// Exec tells that everything was prepared and the program itself could not be
	// executed, which is told as a task that exited with status 127 or 126.
	Exec bool
}

func (e *LaunchError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s: %v", e.Step, e.Err)
	}
	return fmt.Sprintf("%s %s: %v", e.Step, e.Path, e.Err)
}

// Unwrap is the cause, often a syscall.Errno.
func (e *LaunchError) Unwrap() error { return e.Err }

// Start starts the process of a specification at most once. The child is born
// in the parent's groups and moves itself into its own before it executes the
// program, so nothing of the task ever runs outside of its limits, and there is
// no program in between. Its output goes to FIFOs in spec.RuntimeDir, which hold
// it for whoever drains them.
//
// The error is CodeConflict when the container was launched before, CodeInvalid
// or CodeUnsupported for a specification that cannot be, and else a *LaunchError;
// in each case nothing is left behind.
func Start(spec *sdk.LaunchSpec) (*Started, error) {
	if err := validate(spec); err != nil {
		return nil, err
	}
	l := launch{spec: spec, pidfd: -1, group: -1}
	started, err := l.run()
	l.closeAll()
	if err != nil {
		l.undo()
		return nil, err
	}
	return started, nil
}

func validate(spec *sdk.LaunchSpec) error {
	if spec.Version > sdk.LaunchVersion {
		return sdk.Errorf(sdk.CodeUnsupported, "version", "is %d; this executor understands launch specifications up to %d", spec.Version, sdk.LaunchVersion)
	}
	for _, f := range []struct{ name, value string }{
		{"dir", spec.Dir}, {"runtime_dir", spec.RuntimeDir}, {"log_dir", spec.LogDir},
	} {
		if !filepath.IsAbs(f.value) {
			return sdk.Errorf(sdk.CodeInvalid, f.name, "is %q; an absolute path is needed", f.value)
		}
	}
	if spec.ContainerID == "" || spec.Path == "" {
		return sdk.Errorf(sdk.CodeInvalid, "container_id, path", "must not be empty")
	}
	if len(spec.Seccomp)%8 != 0 || len(spec.Seccomp) > 8*4096 {
		return sdk.Errorf(sdk.CodeInvalid, "seccomp", "has %d bytes; a filter has 8 an instruction and at most 4096 of them", len(spec.Seccomp))
	}
	all := append(append([]string{spec.Path, spec.Dir, spec.RuntimeDir, spec.LogDir}, spec.Args...), spec.Env...)
	for _, s := range all {
		if strings.ContainsRune(s, 0) {
			return sdk.Errorf(sdk.CodeInvalid, "path, args, env, dir", "%q has a zero byte", s)
		}
	}
	return nil
}

// launch is one call of Start.
type launch struct {
	spec   *sdk.LaunchSpec
	marker *marker
	fds    descriptors
	group  int   // the v2 group's directory
	close  []int // what only the launch needs
	drains [2]int
	pidfd  int
	made   []string // to remove when the launch fails, last first
}

// run prepares, forks and names the child.
func (l *launch) run() (*Started, error) {
	// The directory of the logs is made by the first byte of output.
	err := l.mkdir(l.spec.RuntimeDir)
	if err != nil {
		return nil, err
	}
	if l.marker, err = createMarker(l.spec); err != nil {
		return nil, err
	}
	l.fds.marker = int(l.marker.file.Fd())
	if err := l.open(); err != nil {
		return nil, err
	}
	b := &birth{}
	b.script(l.spec, l.fds)
	b.clone.parentTID = uint64(l.marker.pidWord())
	if l.group >= 0 {
		b.clone.flags |= unix.CLONE_INTO_CGROUP
		b.clone.cgroup = uint64(l.group)
	}
	pid, errno := b.fork()
	if errno != 0 {
		return nil, &LaunchError{Step: "fork", Path: l.spec.CgroupV2, Err: errno}
	}
	l.pidfd = int(b.pidfd)
	if b.failed > 0 {
		reapFailed(pid)
		c := b.calls[b.failed-1]
		return nil, &LaunchError{Step: c.step, Path: c.path, Err: syscall.Errno(b.errno), Exec: c.step == stepExec}
	}
	return l.named(pid)
}

// named finishes a launch that cannot fail any more: the process runs.
func (l *launch) named(pid int) (*Started, error) {
	if plantAttachAfterExec {
		attachLate(l.spec.CgroupsV1, pid)
	}
	p := sdk.Process{PID: int32(pid)}
	p.BootID, _ = bootID()
	// Ours and not reaped, so it is there, if only as a zombie.
	if s, err := readStat(pid); err == nil {
		p.StartTime = s.startTime
	}
	if err := l.marker.name(p); err != nil {
		// The pid stands in the record already; without the start time a successor
		// is more careful, that is all.
		p.StartTime = 0
	}
	l.marker.close()
	return &Started{Process: p, PIDFD: l.pidfd, Stdout: l.drains[0], Stderr: l.drains[1]}, nil
}

// reapFailed collects the child that could not become the program.
func reapFailed(pid int) {
	for {
		var ws unix.WaitStatus
		if _, err := unix.Wait4(pid, &ws, 0, nil); !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// undo removes what a failed launch has made.
func (l *launch) undo() {
	if l.pidfd >= 0 {
		_ = unix.Close(l.pidfd)
	}
	for _, fd := range l.drains {
		if fd > 0 {
			_ = unix.Close(fd)
		}
	}
	for i := len(l.made) - 1; i >= 0; i-- {
		_ = os.Remove(l.made[i])
	}
}

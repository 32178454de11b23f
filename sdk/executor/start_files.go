package executor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Names of the streams of a container, of their FIFOs and of their logs.
const (
	StdoutStream = "stdout"
	StderrStream = "stderr"
)

// mkdir makes a directory that only we may enter. The agent makes most of them;
// what is there already stays as it is.
func (l *launch) mkdir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err = l.mkdir(filepath.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return &LaunchError{Step: "make the directory", Path: dir, Err: cause(err)}
	}
	l.made = append(l.made, dir)
	return nil
}

// open opens everything that the child will use, so that what is missing is
// found before there is a child.
func (l *launch) open() error {
	l.made = append(l.made, l.marker.path)
	for _, dir := range l.spec.CgroupsV1 {
		fd, err := l.openFile("open cgroup", filepath.Join(dir, "tasks"), unix.O_WRONLY)
		if err != nil {
			return err
		}
		l.fds.groups = append(l.fds.groups, fd)
	}
	var err error
	if l.spec.CgroupV2 != "" {
		if l.group, err = l.openFile("open cgroup", l.spec.CgroupV2, unix.O_DIRECTORY|unix.O_RDONLY); err != nil {
			return err
		}
	}
	if l.fds.stdin, err = l.openFile("open", "/dev/null", unix.O_RDONLY); err != nil {
		return err
	}
	if l.fds.stdout, l.drains[0], err = l.fifo(StdoutStream); err != nil {
		return err
	}
	l.fds.stderr, l.drains[1], err = l.fifo(StderrStream)
	return err
}

func (l *launch) openFile(step, path string, flags int) (int, error) {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &LaunchError{Step: step, Path: path, Err: err}
	}
	l.close = append(l.close, fd)
	return fd, nil
}

// fifo makes one stream: the child's end and ours. Both are opened for reading
// and writing, so the task never gets SIGPIPE and we never an end of file as long
// as either lives. They are two open files, because a task that makes its output
// non-blocking must not change ours.
func (l *launch) fifo(stream string) (child, drain int, err error) {
	path := filepath.Join(l.spec.RuntimeDir, stream)
	made, err := makeFIFO(l.spec, stream)
	if err != nil {
		return -1, -1, err
	}
	if made {
		l.made = append(l.made, path)
	}
	if child, err = l.openFile("open the FIFO", path, unix.O_RDWR); err != nil {
		return -1, -1, err
	}
	if drain, err = OpenFIFO(l.spec.RuntimeDir, stream); err != nil {
		return -1, -1, &LaunchError{Step: "open the FIFO", Path: path, Err: cause(err)}
	}
	return child, drain, nil
}

// OpenFIFO opens a stream of a container for draining, as a successor does. The
// caller closes it.
func OpenFIFO(runtimeDir, stream string) (int, error) {
	path := filepath.Join(runtimeDir, stream)
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// closeAll closes what only the launch needed.
func (l *launch) closeAll() {
	for _, fd := range l.close {
		_ = unix.Close(fd)
	}
	if l.marker != nil {
		l.marker.close()
	}
}

// attachLate is the planted bug.
func attachLate(groups []string, pid int) {
	for _, dir := range groups {
		_ = os.WriteFile(filepath.Join(dir, "tasks"), []byte(strconv.Itoa(pid)), 0)
	}
}

func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

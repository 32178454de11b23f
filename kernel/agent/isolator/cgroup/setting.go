package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// setting is one file of a group and what must stand in it.
type setting struct {
	controller string
	file       string
	value      string
	optional   bool // not every kernel has the file; then the setting means nothing there
}

// settingsV1 lists what v1 groups must say. The order matters: memsw may not be
// below the limit.
func settingsV1(l limits) []setting {
	s := make([]setting, 0, 6)
	s = append(s, setting{controller: "cpu", file: "cpu.shares", value: strconv.FormatUint(l.shares, 10)})
	if l.quota > 0 {
		s = append(s, setting{controller: "cpu", file: "cpu.cfs_quota_us", value: strconv.FormatInt(l.quota, 10)})
	}
	if l.hard > 0 {
		hard := strconv.FormatUint(l.hard, 10)
		s = append(s,
			setting{controller: "memory", file: "memory.limit_in_bytes", value: hard},
			// Without this a host with swap lets the container have its limit again there.
			setting{controller: "memory", file: "memory.memsw.limit_in_bytes", value: hard, optional: true})
	}
	if l.soft > 0 {
		s = append(s, setting{controller: "memory", file: "memory.soft_limit_in_bytes", value: strconv.FormatUint(l.soft, 10)})
	}
	return append(s, setting{controller: "pids", file: "pids.max", value: strconv.FormatUint(l.pids, 10)})
}

// settingsV2 lists the same for a v2 group.
func settingsV2(l limits) []setting {
	s := make([]setting, 0, 7)
	s = append(s, setting{controller: "cpu", file: "cpu.weight", value: strconv.FormatUint(weight(l.shares), 10)})
	if l.quota > 0 {
		s = append(s, setting{controller: "cpu", file: "cpu.max", value: fmt.Sprintf("%d %d", l.quota, period)})
	}
	if l.hard > 0 {
		s = append(s,
			setting{controller: "memory", file: "memory.max", value: strconv.FormatUint(l.hard, 10)},
			setting{controller: "memory", file: "memory.swap.max", value: "0", optional: true},
			// The kernel then kills the whole container and not one process of it.
			setting{controller: "memory", file: "memory.oom.group", value: "1", optional: true})
	}
	if l.soft > 0 {
		s = append(s, setting{controller: "memory", file: "memory.low", value: strconv.FormatUint(l.soft, 10)})
	}
	return append(s, setting{controller: "pids", file: "pids.max", value: strconv.FormatUint(l.pids, 10)})
}

// apply writes the setting into a group and reads it back: a kernel that clamps or
// ignores a limit must not go unnoticed.
func (s setting) apply(dir string) error {
	path := dir + "/" + s.file
	err := writeBack(path, s.value)
	if s.optional && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// writeBack writes value to the file of a group and compares what then stands there.
func writeBack(path, value string) error {
	fd, err := openAt(path, unix.O_RDWR)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := writeAll(fd, value); err != nil {
		return fmt.Errorf("write %s to %s: %w", value, path, err)
	}
	var buf [64]byte
	n, err := unix.Pread(fd, buf[:], 0)
	if err != nil {
		return fmt.Errorf("read back %s: %w", path, err)
	}
	if got := strings.TrimSpace(string(buf[:n])); got != value {
		return fmt.Errorf("%s says %s after %s was written to it", path, got, value)
	}
	return nil
}

// write writes value to the file of a group.
func write(path, value string) error {
	fd, err := openAt(path, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := writeAll(fd, value); err != nil {
		return fmt.Errorf("write %s to %s: %w", value, path, err)
	}
	return nil
}

// writeAll writes a value. The kernel may give up a change of a memory limit for any
// signal, and the Go runtime sends itself signals all the time.
func writeAll(fd int, value string) error {
	for {
		_, err := unix.Write(fd, []byte(value))
		if err != unix.EINTR {
			return err
		}
	}
}

// openAt opens without a package os file around it: these descriptors live for
// microseconds, and there are a dozen per launch.
func openAt(path string, flags int) (int, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if err == nil {
			return fd, nil
		}
		if err != unix.EINTR {
			return -1, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

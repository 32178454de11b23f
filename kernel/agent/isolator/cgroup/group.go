package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// read returns the content of a file of a group; buf is used when it is enough.
func read(path string, buf []byte) ([]byte, error) {
	fd, err := openAt(path, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	out := buf[:0]
	for {
		if cap(out)-len(out) < 512 {
			out = append(out, make([]byte, 4096)...)[:len(out)]
		}
		n, err := unix.Read(fd, out[len(out):cap(out)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 {
			return out, nil
		}
		out = out[:len(out)+n]
	}
}

// numbers reads a file of one number a line, such as cgroup.procs. A group that
// does not exist has none.
func numbers(path string) ([]int, error) {
	var small [1024]byte
	text, err := read(path, small[:])
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []int
	for _, f := range strings.Fields(string(text)) {
		n, err := strconv.Atoi(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not a number", path, f)
		}
		out = append(out, n)
	}
	return out, nil
}

// makeGroup makes a fresh group. One that exists already is refused: another run
// has been in it.
func makeGroup(dir string) error {
	err := unix.Mkdir(dir, 0o755)
	if err == unix.EEXIST {
		return fmt.Errorf("the group %s exists already; a group is never used twice", dir)
	}
	if err != nil {
		return fmt.Errorf("make the group %s: %w", dir, err)
	}
	return nil
}

// tree lists a group and all groups below it, the deepest first. A container may
// have made some where it had the right to.
func tree(dir string) []string {
	var out []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, tree(filepath.Join(dir, e.Name()))...)
		}
	}
	return append(out, dir)
}

// removeGroup removes a group. Right after the end of its last process the kernel
// may still say EBUSY, so that is tried again, until ctx ends or patience does; a
// group in which processes live is left alone at once.
func removeGroup(ctx context.Context, dir string) error {
	err := unix.Rmdir(dir)
	for wait := time.Millisecond; err != nil && err != unix.ENOENT; wait *= 2 {
		if pids, e := procsBelow(dir); e == nil && len(pids) > 0 {
			return fmt.Errorf("remove the group %s: %d processes live in it, the first is %d", dir, len(pids), pids[0])
		}
		if err != unix.EBUSY || wait > 128*time.Millisecond || pause(ctx, wait) != nil {
			return fmt.Errorf("remove the group %s: %w", dir, err)
		}
		for _, d := range tree(dir) {
			err = unix.Rmdir(d)
		}
	}
	return nil
}

// procsBelow lists the processes of a group and of those below it.
func procsBelow(dir string) ([]int, error) {
	var out []int
	for _, d := range tree(dir) {
		pids, err := numbers(d + "/cgroup.procs")
		if err != nil {
			return out, err
		}
		out = append(out, pids...)
	}
	sort.Ints(out)
	return out, nil
}

// pause waits, or returns ctx's error when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

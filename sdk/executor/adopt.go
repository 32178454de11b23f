package executor

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// Containers lists the runtime directories below runtime in which a launch was
// begun, in the order of their names.
func Containers(runtime string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(runtime, ContainersDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var dirs []string
	for _, e := range entries {
		dir := filepath.Join(runtime, ContainersDir, e.Name())
		if _, err := os.Lstat(filepath.Join(dir, markerFile)); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs, err
}

// Adopt takes over what a dead parent left in a runtime directory: the record, and
// a Started whose descriptors are -1 where there is nothing any more (PIDFD: the
// process is gone).
//
// CodeNotFound: there never was a process. The marker of the launch is removed
// then, so that it may be done again.
//
// Only the holder of the dead parent's lock may call it: with it one knows that no
// launch is still going on. A child holds the lock too until it has executed the
// program, so a launch that had not begun then never will.
func Adopt(runtimeDir string) (*Record, *Started, error) {
	r, err := ReadRecord(runtimeDir)
	if err == nil && !r.Began && r.Exit == nil {
		err = sdk.Errorf(sdk.CodeNotFound, "", "the launch in %s was cut off before the program", runtimeDir)
	}
	if sdk.CodeOf(err) == sdk.CodeNotFound {
		// The FIFOs stay: somebody may hold them, and nothing is in them.
		_ = os.Remove(filepath.Join(runtimeDir, markerFile))
	}
	if err != nil {
		return nil, nil, err
	}
	s := &Started{PIDFD: -1}
	if r.Exit == nil {
		r.identify()
		if s.PIDFD, err = Open(r.Process); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
	}
	s.Process = r.Process
	s.Stdout = openLeft(runtimeDir, StdoutStream)
	s.Stderr = openLeft(runtimeDir, StderrStream)
	return r, s, nil
}

func openLeft(runtimeDir, stream string) int {
	fd, err := OpenFIFO(runtimeDir, stream)
	if err != nil {
		return -1
	}
	return fd
}

// identify finds the start time of a process whose parent was killed between the
// fork and writing it down. The pid is sure, but may be in use again: so a living
// process has to be in the container's group, or lead a session of its own when
// there is none.
func (r *Record) identify() {
	if r.Process.StartTime != 0 || r.Process.PID <= 0 {
		return
	}
	s, err := lookup(r.Process)
	if err == nil && (s.state == 'Z' || inGroup(r.Process.PID, &r.Spec, s)) {
		r.Process.StartTime = s.startTime
	}
}

func inGroup(pid int32, spec *sdk.LaunchSpec, s procStat) bool {
	dirs := append([]string{spec.CgroupV2}, spec.CgroupsV1...)
	if strings.Join(dirs, "") == "" {
		return s.session == int(pid)
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/cgroup")
	if err != nil {
		return false
	}
	for line := range bytes.Lines(b) {
		f := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(f) != 3 || f[2] == "/" {
			continue
		}
		for _, dir := range dirs {
			if dir != "" && strings.HasSuffix(dir, f[2]) {
				return true
			}
		}
	}
	return false
}

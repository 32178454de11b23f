package posix

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/sdk"
)

// Mark is the environment variable by which a container's processes are found again
// without control groups.
const Mark = "PROFFER_CONTAINER"

// Processes ends containers where there are no control groups.
type Processes struct {
	Proc string // "/proc" when empty

	mu   sync.Mutex // of next
	next *census    // the look that has not begun
	turn sync.Mutex // one look at a time

	looked func() // after each look; tests only
}

// Name is "posix".
func (*Processes) Name() string { return "posix" }

// Prepare puts the mark into the container's environment.
func (*Processes) Prepare(_ context.Context, c *isolator.Container, spec *sdk.LaunchSpec) error {
	spec.Env = append(spec.Env, Mark+"="+c.ID)
	return nil
}

// Destroy kills the container's process group and every process with its mark that
// this agent can see, until it finds none. The leader of the group may be gone before
// the others are: what was the group at the beginning stays it.
func (p *Processes) Destroy(ctx context.Context, c *isolator.Container) error {
	group := p.group(p.proc(), c)
	for wait := time.Millisecond; ; wait = min(wait*2, 50*time.Millisecond) {
		if group != 0 && p.reused(c) {
			group = 0
		}
		left, err := p.findIn(c, group)
		if err != nil {
			return err
		}
		if len(left) == 0 {
			return nil
		}
		for _, pid := range left {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && err != unix.ESRCH {
				return fmt.Errorf("kill process %d of container %s: %w", pid, c.ID, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("container %s still has %d processes, the first is %d: %w", c.ID, len(left), left[0], ctx.Err())
		case <-time.After(wait):
		}
	}
}

// find lists the living processes of the container.
func (p *Processes) find(c *isolator.Container) ([]int, error) {
	return p.findIn(c, p.group(p.proc(), c))
}

// findIn lists those that are in the group, 0 for none, or have the mark.
func (p *Processes) findIn(c *isolator.Container, group int) ([]int, error) {
	all, err := p.look()
	if err != nil {
		return nil, err
	}
	var out []int
	for i := range all {
		if group != 0 && all[i].group == group || all[i].mark == c.ID {
			out = append(out, all[i].pid)
		}
	}
	return out, nil
}

func (p *Processes) proc() string {
	if p.Proc == "" {
		return "/proc"
	}
	return p.Proc
}

// group is the process group that the task was started as the leader of, or 0 when
// the leader is gone and the number may belong to someone else by now; what it has
// left is then found by the mark.
func (*Processes) group(proc string, c *isolator.Container) int {
	if c.Process == nil || c.Process.PID <= 1 {
		return 0
	}
	s, ok := readStat(filepath.Join(proc, strconv.Itoa(int(c.Process.PID))))
	if !ok || s.start != c.Process.StartTime || s.group != int(c.Process.PID) {
		return 0
	}
	return s.group
}

// reused tells whether the number of the container's first process is another's now.
func (p *Processes) reused(c *isolator.Container) bool {
	s, ok := readStat(filepath.Join(p.proc(), strconv.Itoa(int(c.Process.PID))))
	return ok && s.start != c.Process.StartTime
}

// stat is what /proc/PID/stat tells.
type stat struct {
	state byte
	group int
	start uint64
}

func readStat(dir string) (stat, bool) {
	text, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return stat{}, false
	}
	end := bytes.LastIndexByte(text, ')') // the name before it may hold anything
	if end < 0 {
		return stat{}, false
	}
	// Fields from the third on: state, parent, group, … start time is the 22nd.
	f := strings.Fields(string(text[end+1:]))
	if len(f) < 20 {
		return stat{}, false
	}
	group, err1 := strconv.Atoi(f[2])
	start, err2 := strconv.ParseUint(f[19], 10, 64)
	return stat{state: f[0][0], group: group, start: start}, err1 == nil && err2 == nil
}

// markOf is the container that a process's environment names, empty for none.
func markOf(environ string) string {
	text, err := os.ReadFile(environ)
	if err != nil {
		return ""
	}
	for part := range bytes.SplitSeq(text, []byte{0}) {
		if id, ok := bytes.CutPrefix(part, []byte(Mark+"=")); ok {
			return string(id)
		}
	}
	return ""
}

// Cleanup refuses while processes of the container are found.
func (p *Processes) Cleanup(_ context.Context, c *isolator.Container) error {
	left, err := p.find(c)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("container %s still has %d processes, the first is %d", c.ID, len(left), left[0])
	}
	return nil
}

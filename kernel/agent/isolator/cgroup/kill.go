package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// destroy ends every process of the container and returns nil only when none is
// left. Each round kills what is there and looks again; the waits between rounds
// grow to 50 ms, and only ctx ends the trying.
func (d *driver) destroy(ctx context.Context, id string, freezeWait time.Duration) error {
	for wait := time.Duration(0); ; {
		left, err := d.alive(id)
		if err != nil {
			return err
		}
		if len(left) == 0 {
			return nil
		}
		if err := d.killRound(ctx, id, freezeWait); err != nil {
			return err
		}
		wait = min(wait*2+500*time.Microsecond, 50*time.Millisecond)
		if pause(ctx, wait) != nil {
			return d.stuck(id, left)
		}
	}
}

// stuck says who is left, and in which state: a process in D waits for the kernel,
// and nothing but the kernel can end it.
func (d *driver) stuck(id string, left []int) error {
	var who []string
	for _, pid := range left[:min(len(left), 5)] {
		state, name := procState(pid)
		who = append(who, fmt.Sprintf("%d (%s, state %s)", pid, name, state))
	}
	return fmt.Errorf("container %s still has %d processes: %s: %w", id, len(left), strings.Join(who, ", "), context.DeadlineExceeded)
}

// killRound makes one attempt. With cgroup.kill the kernel does it, also to what is
// being born or frozen; without it all are frozen first, so that none can fork
// while its siblings are being killed.
func (d *driver) killRound(ctx context.Context, id string, freezeWait time.Duration) error {
	if h := d.killer(); h != nil {
		for _, dir := range tree(h.group(id)) {
			if err := write(dir+"/cgroup.kill", "1"); err != nil && !gone(err) {
				return err
			}
		}
		if h.v2 {
			return nil
		}
		// A process with root's rights may have left the tracking group; it has not
		// escaped if it is still in a v1 group.
		if err := pause(ctx, 200*time.Microsecond); err != nil {
			return nil
		}
	}
	if h := d.find("freezer"); h != nil {
		dirs := tree(h.group(id))
		freeze(ctx, dirs, freezeWait)
		// A frozen process dies only after it is thawed, whatever else goes wrong.
		defer func() {
			for _, dir := range slices.Backward(dirs) {
				_ = write(dir+"/freezer.state", "THAWED")
			}
		}()
	}
	return d.signalAll(id)
}

// freeze asks all groups to freeze and waits a while for it. A group that does not
// get there (a task in uninterruptible sleep) is killed unfrozen: slower, not wrong.
func freeze(ctx context.Context, dirs []string, patience time.Duration) {
	if len(dirs) == 0 {
		return
	}
	top := dirs[len(dirs)-1] + "/freezer.state" // freezing covers what is below
	if write(top, "FROZEN") != nil {
		return
	}
	deadline := time.Now().Add(patience)
	for wait := 200 * time.Microsecond; time.Now().Before(deadline); wait = min(wait*2, 10*time.Millisecond) {
		var buf [64]byte
		state, err := read(top, buf[:])
		if err != nil || strings.TrimSpace(string(state)) == "FROZEN" {
			return
		}
		if pause(ctx, wait) != nil {
			return
		}
	}
}

// signalAll sends SIGKILL to every process of the container's v1 groups.
func (d *driver) signalAll(id string) error {
	for i := range d.trees {
		h := &d.trees[i]
		if h.tracking || h.v2 {
			continue
		}
		own, _, err := members(h.group(id))
		if err != nil {
			return err
		}
		for _, pid := range own {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && err != unix.ESRCH {
				return fmt.Errorf("kill process %d of container %s: %w", pid, id, err)
			}
		}
	}
	return nil
}

// alive lists the processes of the container. The tracking group and one v1 group
// are looked at; a process that is in any v1 group is in all of them, because it
// was born there.
func (d *driver) alive(id string) ([]int, error) {
	var out []int
	looked := false
	for i := range d.trees {
		h := &d.trees[i]
		if !h.tracking && !h.v2 {
			if looked {
				continue
			}
			looked = true
		}
		pids, err := numbers(h.group(id) + "/cgroup.procs")
		if err != nil {
			return nil, err
		}
		if len(pids) == 0 {
			// An empty group may have groups below it that are not.
			if pids, err = procsOfChildren(h.group(id)); err != nil {
				return nil, err
			}
		}
		out = append(out, pids...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// procsOfChildren lists what is below a group; the link count tells for one system
// call that there is nothing, which is nearly always.
func procsOfChildren(dir string) ([]int, error) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil || st.Nlink <= 2 {
		return nil, nil
	}
	return procsBelow(dir)
}

// members splits the processes of a v1 group and those below into its own and
// lenders. A lender is the parent that is just starting a process: one of its
// threads is in the group for the time of the fork, the process is not, and must
// not be killed. A process whose first thread has ended is no lender.
func members(dir string) (own, lenders []int, err error) {
	for _, d := range tree(dir) {
		pids, err := numbers(d + "/cgroup.procs")
		if err != nil {
			return own, lenders, err
		}
		if len(pids) == 0 {
			continue
		}
		tids, err := numbers(d + "/tasks")
		if err != nil {
			return own, lenders, err
		}
		slices.Sort(tids)
		for _, pid := range pids {
			_, inside := slices.BinarySearch(tids, pid)
			if state, _ := procState(pid); inside || state == "Z" || state == "X" {
				own = append(own, pid)
			} else {
				lenders = append(lenders, pid)
			}
		}
	}
	return own, lenders, nil
}

// procState reads a process's state letter and name; "X" when it is gone.
func procState(pid int) (state, name string) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "X", "gone"
	}
	s := string(text)
	open, end := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if open < 0 || end < open || len(s) < end+3 {
		return "X", "gone"
	}
	return s[end+2 : end+3], s[open+1 : end]
}

func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV)
}

package cgroup

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/sdk"
)

// eventually polls a condition that the kernel or another process brings about.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long: %s", what)
		}
		_ = pause(context.Background(), 2*time.Millisecond)
	}
}

func TestDestroyEndsAForkBombWithinItsPids(t *testing.T) {
	eachDriver(t, func(t *testing.T, i *Isolator) {
		c := task("bomb", map[string]float64{"cpus": 1, "mem": 256, "pids": 40}, nil)
		cmd := start(t, i, c, `f() { f & f & wait; }; while :; do f; done 2>/dev/null`)
		pids := i.driver.find("pids").group(c.ID)
		eventually(t, "the bomb meets its limit", func() bool {
			n, _ := counter(pids+"/pids.events", "max")
			return n > 0
		})
		if n, err := counterLine(pids + "/pids.current"); err != nil || n > 40 {
			t.Errorf("%d threads, %v; 40 are allowed", n, err)
		}
		finish(t, i, c, cmd)
	})
}

func TestDestroyFindsDaemonisedChildren(t *testing.T) {
	test := func(t *testing.T, i *Isolator) {
		mark := filepath.Join(t.TempDir(), "pid")
		c := task("daemon", map[string]float64{"cpus": 1}, nil)
		cmd := start(t, i, c, `trap "" TERM HUP; (setsid sh -c 'trap "" TERM HUP; echo $$ >'`+mark+`'; sleep 600 & wait' &) ; exit 0`)
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the daemon runs", func() bool { b, _ := os.ReadFile(mark); return len(b) > 0 })
		text, _ := os.ReadFile(mark)
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		if err := i.Cleanup(context.Background(), c); err == nil {
			t.Fatal("Cleanup succeeded while a process lives")
		} else if !strings.Contains(err.Error(), "live in it") {
			t.Errorf("the refusal does not say why: %v", err)
		}
		finish(t, i, c, nil)
		if state, _ := procState(pid); state != "X" && state != "Z" {
			t.Errorf("the daemon %d is in state %s", pid, state)
		}
	}
	eachDriver(t, test)
	t.Run("v2", func(t *testing.T) { test(t, needV2(t)) })
}

// TestDestroyFrozen: SIGKILL alone does not end a process that is frozen in v1.
func TestDestroyFrozen(t *testing.T) {
	eachDriver(t, func(t *testing.T, i *Isolator) {
		c := task("frozen", nil, nil)
		cmd := start(t, i, c, "sleep 600 & sleep 600")
		h, file, word := i.driver.find("freezer"), "/freezer.state", "FROZEN"
		if h == nil {
			h, file, word = i.driver.killer(), "/cgroup.freeze", "1"
		}
		if err := writeBack(h.group(c.ID)+file, word); err != nil {
			t.Logf("not frozen at once: %v", err) // FREEZING is read back for a moment
		}
		finish(t, i, c, cmd)
	})
}

// TestDestroySparesTheLauncher: while the parent starts a process, one of its own
// threads is in the group, and v1 lists the parent as a member.
func TestDestroySparesTheLauncher(t *testing.T) {
	i := needGroups(t, func(o *Options) { o.NoTracking = true })
	c := task("lender", nil, nil)
	var spec sdk.LaunchSpec
	if err := i.Prepare(context.Background(), c, &spec); err != nil {
		t.Fatal(err)
	}
	release, joined := make(chan bool), make(chan error)
	go lend(spec.CgroupsV1, joined, release)
	if err := <-joined; err != nil {
		t.Fatal(err)
	}
	pids := i.driver.find("pids").group(c.ID)
	own, lenders, err := members(pids)
	if err != nil || len(own) != 0 || len(lenders) != 1 || lenders[0] != os.Getpid() {
		t.Fatalf("own %v, lenders %v, %v; want only this process as lender", own, lenders, err)
	}
	// Only the signals are tried: freezing would stop this very test.
	if err := i.driver.signalAll(c.ID); err != nil {
		t.Fatal(err)
	}
	if left, err := i.driver.alive(c.ID); err != nil || len(left) != 1 {
		t.Errorf("the group counts as empty while a fork is under way: %v, %v", left, err)
	}
	close(release)
	eventually(t, "the thread leaves", func() bool { left, _ := i.driver.alive(c.ID); return len(left) == 0 })
	finish(t, i, c, nil)
}

func TestDestroyGivesUpOnlyWithItsContext(t *testing.T) {
	i := needGroups(t, func(o *Options) { o.NoTracking = true })
	c := task("stuck", nil, nil)
	var spec sdk.LaunchSpec
	if err := i.Prepare(context.Background(), c, &spec); err != nil {
		t.Fatal(err)
	}
	release, joined := make(chan bool), make(chan error)
	// Joined to pids only: the freezer stays empty, and this process unfrozen.
	go lend([]string{i.driver.trees[0].group(c.ID)}, joined, release)
	if err := <-joined; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	err := i.Destroy(ctx, c)
	if err == nil || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("Destroy of a group that cannot be emptied says %v", err)
	}
	close(release)
	finish(t, i, c, nil)
}

func TestRecoverDestroysOrphansOnly(t *testing.T) {
	eachDriver(t, func(t *testing.T, i *Isolator) {
		known, orphan := task("known", nil, nil), task("orphan", nil, nil)
		a, b := start(t, i, known, "sleep 600"), start(t, i, orphan, "sleep 600")
		half := task("half", nil, nil) // what a crash in the middle of Prepare leaves
		if err := makeGroup(i.driver.trees[0].group(half.ID)); err != nil {
			t.Fatal(err)
		}
		// A new agent on the same parent, as after a restart.
		next := newIsolator(i.options, i.driver)
		reaped := make(chan error, 1)
		go func() { reaped <- b.Wait() }()
		ids, err := next.Recover(context.Background(), []*isolator.Container{known})
		if err != nil || strings.Join(ids, " ") != "half orphan" {
			t.Fatalf("orphans %v, %v", ids, err)
		}
		<-reaped
		if state, _ := procState(a.Process.Pid); state == "X" || state == "Z" {
			t.Error("the known container was killed")
		}
		if i.driver.exists("orphan") || i.driver.exists("half") {
			t.Error("an orphan's group is left")
		}
		finish(t, next, known, a)
	})
}

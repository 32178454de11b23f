package posix

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/isolator/isolatortest"
	"github.com/profferhq/proffer/sdk"
)

func start(t *testing.T, c *isolator.Container, spec *sdk.LaunchSpec, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Env = append([]string{"PATH=/usr/bin:/bin"}, spec.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s, ok := readStat(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid)))
	if !ok {
		t.Fatal("the process cannot be seen")
	}
	c.Process = &sdk.Process{PID: int32(cmd.Process.Pid), StartTime: s.start}
	return cmd
}

func TestConformance(t *testing.T) {
	p := &Processes{}
	unique := strconv.Itoa(os.Getpid())
	isolatortest.Run(t, isolatortest.Subject{
		New:       func(*testing.T) isolator.Isolator { return p },
		Container: func(_ *testing.T, id string) *isolator.Container { return &isolator.Container{ID: id + unique} },
		Start: func(t *testing.T, c *isolator.Container, spec *sdk.LaunchSpec) func() {
			cmd := start(t, c, spec, "sleep 600")
			return func() { _ = cmd.Wait() }
		},
		Left: func(id string) bool {
			left, err := p.find(&isolator.Container{ID: id})
			return err != nil || len(left) > 0
		},
	})
}

// TestDestroyFindsDaemons: one that has left session and group is found by its mark,
// and one that has lost its mark by the group.
func TestDestroyFindsDaemons(t *testing.T) {
	p, c := &Processes{}, &isolator.Container{ID: "daemons" + strconv.Itoa(os.Getpid())}
	var spec sdk.LaunchSpec
	if err := p.Prepare(context.Background(), c, &spec); err != nil {
		t.Fatal(err)
	}
	mark := filepath.Join(t.TempDir(), "pids")
	cmd := start(t, c, &spec, `(setsid sh -c 'echo $$ >>`+mark+`; sleep 600' &); env -i /bin/sh -c 'echo $$ >>`+mark+`; sleep 600' & sleep 600`)
	var pids []string
	for begin := time.Now(); len(pids) < 2; {
		text, _ := os.ReadFile(mark)
		pids = strings.Fields(string(text))
		if time.Since(begin) > 10*time.Second {
			t.Fatal("the daemons do not start")
		}
	}
	reaped := make(chan bool)
	go func() { _ = cmd.Wait(); close(reaped) }()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.Destroy(ctx, c); err != nil {
		t.Fatal(err)
	}
	<-reaped
	for _, pid := range pids {
		if s, ok := readStat(filepath.Join("/proc", pid)); ok && s.state != 'Z' {
			t.Errorf("process %s lives", pid)
		}
	}
}

// TestDestroyWaitsForTheGroup: the leader is gone at the second look, and one of its
// group that was killed takes its time to die.
func TestDestroyWaitsForTheGroup(t *testing.T) {
	proc := t.TempDir()
	self := strconv.Itoa(os.Getpid())
	show := func(pid, group string) {
		if err := os.MkdirAll(filepath.Join(proc, pid), 0o755); err != nil {
			t.Fatal(err)
		}
		line := pid + " (x) S 1 " + group + strings.Repeat(" 0", 16) + " 77 0\n"
		if err := os.WriteFile(filepath.Join(proc, pid, "stat"), []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Numbers that no process has: /proc of the test is the only place where they live.
	const leader, member = "4194301", "4194302"
	show(leader, leader)
	show(member, leader)
	p := &Processes{Proc: proc}
	c := &isolator.Container{ID: "slow" + self, Process: &sdk.Process{PID: 4194301, StartTime: 77}}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	looks := 0
	p.looked = func() {
		switch looks++; looks {
		case 1:
			_ = os.RemoveAll(filepath.Join(proc, leader))
		case 3:
			_ = os.RemoveAll(filepath.Join(proc, member))
		}
	}
	go func() { ended <- p.Destroy(ctx, c) }()
	if err := <-ended; err != nil || looks < 4 {
		t.Fatalf("ended after %d looks: %v", looks, err)
	}
}

// TestAForeignProcessIsSpared: the task's pid may belong to someone else by now.
func TestAForeignProcessIsSpared(t *testing.T) {
	p, c := &Processes{}, &isolator.Container{ID: "reused" + strconv.Itoa(os.Getpid())}
	cmd := start(t, c, &sdk.LaunchSpec{}, "sleep 600")
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	c.Process.StartTime++
	if left, err := p.find(c); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestLimits(t *testing.T) {
	number := func(n uint64) *uint64 { return &n }
	for _, tt := range []struct {
		limit sdk.RLimit
		want  sdk.LaunchLimit
		err   string
	}{
		{sdk.RLimit{Type: sdk.RLimitNOFILE, Soft: number(10), Hard: number(20)}, sdk.LaunchLimit{Resource: 7, Soft: 10, Hard: 20}, ""},
		{sdk.RLimit{Type: sdk.RLimitCore}, sdk.LaunchLimit{Resource: 4, Soft: 1<<64 - 1, Hard: 1<<64 - 1}, ""},
		{sdk.RLimit{Type: sdk.RLimitCore, Soft: number(1)}, sdk.LaunchLimit{}, "both"},
		{sdk.RLimit{Type: sdk.RLimitCore, Soft: number(2), Hard: number(1)}, sdk.LaunchLimit{}, "above"},
		{sdk.RLimit{Type: "RLMT_WHAT"}, sdk.LaunchLimit{}, "unknown type"},
	} {
		c := &isolator.Container{Info: &sdk.ContainerInfo{RlimitInfo: &sdk.RLimitInfo{Rlimits: []sdk.RLimit{tt.limit}}}}
		var spec sdk.LaunchSpec
		err := isolator.Chain{Limits{}}[0].Prepare(context.Background(), c, &spec)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%+v: %v", tt.limit, err)
			}
			continue
		}
		if err != nil || len(spec.RLimits) != 1 || spec.RLimits[0] != tt.want {
			t.Errorf("%+v: %+v, %v", tt.limit, spec.RLimits, err)
		}
	}
	for _, e := range sdk.RLimitType("").Enum()[1:] {
		if _, ok := rlimitNumber(sdk.RLimitType(e.Name)); !ok {
			t.Errorf("%s has no number", e.Name)
		}
	}
}

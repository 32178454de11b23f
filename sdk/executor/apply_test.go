package executor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// run starts the specification and gives its stdout.
func run(t testing.TB, spec *sdk.LaunchSpec) string {
	t.Helper()
	s, err := Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if status := await(t, s); status != 0 {
		t.Errorf("wait status %x, stderr %q", status, output(t, s.Stderr))
	}
	return output(t, s.Stdout)
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		skip(t, "needs root")
	}
}

func TestSpecificationIsApplied(t *testing.T) {
	needRoot(t)
	spec := testSpec(t, `id -u; id -g; id -G; ulimit -c; ulimit -n; ulimit -Hn; grep -E 'NoNewPrivs|CapBnd|Seccomp:' /proc/self/status
		cat /proc/self/oom_score_adj; pwd; tty; ps -o sid=,pgid= -p $$ | tr -d ' ' ; echo $$$$; echo again > /dev/stdout; ls /proc/self/fd | wc -l`)
	spec.SetIDs, spec.UID, spec.GID, spec.Groups = true, 65534, 65533, []uint32{7, 8}
	spec.RLimits = []sdk.LaunchLimit{{Resource: unix.RLIMIT_CORE, Soft: 1024, Hard: 2048}, {Resource: unix.RLIMIT_NOFILE, Soft: 77, Hard: 99}}
	spec.NoNewPrivs, spec.DropBound, spec.Bounding, spec.OOMScoreAdj = true, true, []uint32{0}, 123
	// allow everything: BPF_RET|BPF_K, SECCOMP_RET_ALLOW
	spec.Seccomp = []byte{6, 0, 0, 0, 0, 0, 0xff, 0x7f}
	if err := os.Chmod(spec.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	spec.Dir = "/"
	got := strings.Fields(run(t, spec))
	text := strings.Join(got, " ")
	want := "65534 65533 65533 7 8 2 77 99 CapBnd: 0000000000000001 NoNewPrivs: 1 Seccomp: 2 123 / not a tty"
	if !strings.HasPrefix(text, want) {
		t.Errorf("the process sees\n%s, want\n%s", text, want)
	}
	rest := got[len(strings.Fields(want)):]
	if len(rest) != 4 || rest[0] != rest[1] || rest[2] != "again" {
		t.Errorf("session, group, output: %q", rest)
	}
	if rest[3] != "4" { // stdin, stdout, stderr, and the directory that ls reads
		t.Errorf("%s descriptors are open, one of them ls's own: ours leak into the task", rest[3])
	}
}

func TestDefaultLimits(t *testing.T) {
	if got := run(t, testSpec(t, "ulimit -n; echo $PATH")); got != "1024\n/usr/bin:/bin\n" {
		t.Errorf("soft limit of open files and PATH: %q", got)
	}
}

// The first thing that the program does, and all that it forks, is in the groups.
func TestBornInItsGroups(t *testing.T) {
	spec := testSpec(t, "cat /proc/self/cgroup; (cat /proc/self/cgroup); echo; cat /proc/$$/cgroup")
	spec.CgroupsV1 = groups(t, "born")
	out := run(t, spec)
	for _, h := range v1Hierarchies {
		if n := strings.Count(out, ":"+h+":/proffer-executor-test/born\n"); n != 3 {
			t.Errorf("%d of 3 processes are born in the %s group:\n%s", n, h, out)
		}
	}
}

func TestBornInItsV2Group(t *testing.T) {
	root := "/sys/fs/cgroup/unified"
	if _, err := os.Stat(root + "/cgroup.procs"); err != nil {
		root = "/sys/fs/cgroup"
	}
	if _, err := os.Stat(root + "/cgroup.procs"); err != nil || os.Getuid() != 0 {
		skip(t, "needs root and a cgroup v2 mount")
	}
	name := fmt.Sprintf("proffer-executor-test-%d", os.Getpid())
	dir := filepath.Join(root, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeGroup(t, dir) })
	spec := testSpec(t, "grep ^0: /proc/self/cgroup; (sleep 100 & echo $!)")
	spec.CgroupV2 = dir
	out := run(t, spec)
	if !strings.HasPrefix(out, "0::/"+name+"\n") {
		t.Errorf("born in %q", out)
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
}

// removeGroup removes a group as soon as the killed have left it.
func removeGroup(t *testing.T, dir string) {
	t.Helper()
	for late := time.After(20 * time.Second); ; {
		err := os.Remove(dir)
		if err == nil {
			return
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-late:
			t.Error(err)
			return
		}
	}
}

func TestFailedStartLeavesNothing(t *testing.T) {
	before := openFiles(t)
	for _, c := range []struct {
		name, step string
		exec       bool
		change     func(*sdk.LaunchSpec)
	}{
		{"no program", "execute program nothing", true, func(s *sdk.LaunchSpec) { s.Path = "nothing" }},
		{"not executable", "execute program /etc/passwd", true, func(s *sdk.LaunchSpec) { s.Path = "/etc/passwd" }},
		{"no sandbox", "enter the sandbox /nowhere", false, func(s *sdk.LaunchSpec) { s.Dir = "/nowhere" }},
		{"no group", "open cgroup /sys/fs/cgroup/cpu/nowhere/tasks", false, func(s *sdk.LaunchSpec) { s.CgroupsV1 = []string{"/sys/fs/cgroup/cpu/nowhere"} }},
		{"bad limit", "set resource limit 99", false, func(s *sdk.LaunchSpec) { s.RLimits = []sdk.LaunchLimit{{Resource: 99}} }},
		{"bad filter", "install seccomp filter", false, func(s *sdk.LaunchSpec) { s.Seccomp, s.NoNewPrivs = make([]byte, 8), true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := testSpec(t, "exit 0")
			c.change(spec)
			_, err := Start(spec)
			var failed *LaunchError
			if !errors.As(err, &failed) || !strings.HasPrefix(err.Error(), c.step) || failed.Exec != c.exec {
				t.Fatalf("the error is %v", err)
			}
			if _, err := os.Stat(spec.RuntimeDir); !errors.Is(err, os.ErrNotExist) {
				left, _ := os.ReadDir(spec.RuntimeDir)
				t.Errorf("left behind: %v", left)
			}
		})
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d open files before, %d after", before, after)
	}
	if HasChildren() {
		t.Error("a child is left")
	}
}

func openFiles(t testing.TB) int {
	t.Helper()
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(d)
}

func TestNothingStaysOpen(t *testing.T) {
	before := 0
	for i := range 20 {
		if run(t, testSpec(t, "echo x")) != "x\n" {
			t.Error("no output")
		}
		if i == 0 {
			before = openFiles(t)
		}
	}
	if after := openFiles(t); after > before {
		t.Errorf("%d open files after one launch, %d after twenty", before, after)
	}
}

func TestStartRefuses(t *testing.T) {
	for field, change := range map[string]func(*sdk.LaunchSpec){
		"version":     func(s *sdk.LaunchSpec) { s.Version = sdk.LaunchVersion + 1 },
		"dir":         func(s *sdk.LaunchSpec) { s.Dir = "relative" },
		"runtime_dir": func(s *sdk.LaunchSpec) { s.RuntimeDir = "" },
		"seccomp":     func(s *sdk.LaunchSpec) { s.Seccomp = make([]byte, 7) },
		"path":        func(s *sdk.LaunchSpec) { s.Args = []string{"a\x00b"} },
	} {
		spec := testSpec(t, "exit 0")
		change(spec)
		var refused *sdk.Error
		if _, err := Start(spec); !errors.As(err, &refused) || !strings.HasPrefix(refused.Field, field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestNoSecondStart(t *testing.T) {
	spec := testSpec(t, "exit 0")
	run(t, spec)
	if _, err := Start(spec); sdk.CodeOf(err) != sdk.CodeConflict {
		t.Errorf("started twice, or refused as %v", err)
	}
	if _, err := ReadRecord(spec.RuntimeDir); err != nil {
		t.Errorf("the refusal took the record along: %v", err)
	}
}

// Launches from many goroutines do not disturb each other, nor os/exec beside them.
func TestStartConcurrently(t *testing.T) {
	specs := make(chan *sdk.LaunchSpec, 40)
	for i := range cap(specs) {
		specs <- testSpec(t, fmt.Sprintf("exit %d", i))
	}
	close(specs)
	done := make(chan error, cap(specs))
	for range 4 {
		go func() {
			for spec := range specs {
				s, err := Start(spec)
				if err != nil {
					done <- err
					continue
				}
				want := spec.Args[2]
				if got := fmt.Sprintf("exit %d", syscall.WaitStatus(await(t, s)).ExitStatus()); got != want {
					err = fmt.Errorf("%s, want %s", got, want)
				} else if out, e := exec.Command("/bin/echo", "x").Output(); string(out) != "x\n" {
					err = fmt.Errorf("os/exec beside it: %q, %v", out, e)
				}
				s.Close()
				done <- err
			}
		}()
	}
	for range cap(specs) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

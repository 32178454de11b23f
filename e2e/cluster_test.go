package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/e2e/ports"
)

// binaries is where TestMain has built the product.
var binaries string //nolint:gochecknoglobals // set once by TestMain, as the testing package wants it

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "proffer-e2e-bin-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err == nil {
		cmd := exec.Command("go", "build", "-trimpath", "-o", dir+"/", "./cmd/...")
		cmd.Dir, cmd.Stderr = "..", os.Stderr
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		err = cmd.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e: build the binaries:", err)
		os.Exit(1)
	}
	binaries = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// need skips a test by name for what this machine lacks; where PROFFER_TEST_NOSKIP is set
// (CI), it fails instead.
func need(t *testing.T, what string, have bool) {
	t.Helper()
	if have {
		return
	}
	if os.Getenv("PROFFER_TEST_NOSKIP") != "" {
		t.Fatalf("%s is needed, and nothing may skip here", what)
	}
	t.Skipf("needs %s", what)
}

func needRoot(t *testing.T) {
	t.Helper()
	need(t, "root", os.Getuid() == 0)
}

func needCgroups(t *testing.T) {
	t.Helper()
	needRoot(t)
	probe := "/sys/fs/cgroup/memory/proffer-probe-" + strconv.Itoa(os.Getpid())
	err := os.Mkdir(probe, 0o755)
	_ = os.Remove(probe)
	need(t, "writable cgroup v1 controllers", err == nil)
}

func needTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	need(t, name, err == nil)
	return path
}

// cluster is a `proffer up` of a test.
type cluster struct {
	t      *testing.T
	dir    string // of `up`
	truth  string // where tasks write what they did; everyone's
	offset int
	args   []string
	env    []string            // more of the environment of `up`
	small  string              // size of a tmpfs for agent0, in a mount namespace of its own; empty for none
	bin    string              // directory of the programs that it runs; empty: those of all tests
	as     *syscall.Credential // who runs `up`; nil for this process's user
	reach  *reach              // how it is reached where there is no `up`

	cmd   *exec.Cmd
	ended chan error
	mu    sync.Mutex
	said  bytes.Buffer
}

// reach is how a cluster that is no `up` of this machine is reached.
type reach struct {
	addr, token string
	transport   http.RoundTripper
}

// web is a client of HTTP for the cluster.
func (c *cluster) web(timeout time.Duration) *http.Client {
	if c.reach == nil {
		return &http.Client{Timeout: timeout}
	}
	return &http.Client{Timeout: timeout, Transport: c.reach.transport}
}

// startCluster starts `proffer up` with more arguments (see newCluster) and waits until it
// serves. At the end of the test it is stopped as by ctrl-C, and nothing may be left of it.
func startCluster(t *testing.T, args ...string) *cluster {
	t.Helper()
	c := newCluster(t, args...)
	c.start()
	return c
}

// newCluster prepares `proffer up`. The ports of --resources count from the first that the
// cluster has for tasks: ports:[0-99] are all that it does not share with others.
func newCluster(t *testing.T, args ...string) *cluster {
	t.Helper()
	// A test's own directory is closed to a task's user; this one is not.
	dir, err := os.MkdirTemp("", "proffer-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, dir: filepath.Join(dir, "up"), truth: filepath.Join(dir, "truth"), offset: freeOffset(t)}
	for _, arg := range args {
		c.args = append(c.args, ownPorts(c.offset, arg))
	}
	for d, mode := range map[string]os.FileMode{dir: 0o755, c.dir: 0o755, c.truth: 0o777 | os.ModeSticky} {
		if err := errors.Join(os.MkdirAll(d, 0o755), os.Chmod(d, mode)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		c.stop()
		if t.Failed() {
			t.Logf("proffer up said:\n%s", c.talk())
		}
		if os.Getenv("PROFFER_KEEP") != "" { // for whoever looks into it
			_ = os.WriteFile(filepath.Join(dir, "up.log"), []byte(c.talk()), 0o600)
			t.Logf("all that it wrote is left in %s", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	return c
}

// freeOffset finds a --port-offset whose ports are free.
func freeOffset(t *testing.T) int {
	t.Helper()
	offset, err := ports.Offset(t.Name(), 5)
	if err != nil {
		t.Fatal(err)
	}
	return offset
}

// ownPorts has the ports of an argument of --resources begin where those of an offset do.
func ownPorts(offset int, arg string) string {
	before, list, found := strings.Cut(arg, ";ports:[")
	var from, to int
	if _, err := fmt.Sscanf(list, "%d-%d]", &from, &to); !found || err != nil {
		return arg
	}
	first, _ := ports.Tasks(offset)
	return fmt.Sprintf("%s;ports:[%d-%d]", before, first+from, first+to)
}

func (c *cluster) start() {
	c.t.Helper()
	if err := c.launch(); err != nil {
		c.t.Fatalf("proffer up: %v\n%s", err, c.talk())
	}
}

// launch starts `up` and waits for the line that says it serves.
func (c *cluster) launch() error {
	args := append([]string{"up", "--dir", c.dir, "--port-offset", strconv.Itoa(c.offset)}, c.wanted()...)
	bin := cmp.Or(c.bin, binaries)
	c.cmd = exec.Command(filepath.Join(bin, "proffer"), args...)
	if c.small != "" {
		// The mount goes with the namespace, and that with the last of its processes.
		script := fmt.Sprintf(`mkdir -p %[1]s && mount -t tmpfs -o size=%[2]s,mode=755 tmpfs %[1]s && exec "$@"`, filepath.Join(c.dir, "agent0"), c.small)
		c.cmd = exec.Command("unshare", append([]string{"-m", "--propagation", "private", "sh", "-c", script, "sh", c.cmd.Path}, args...)...)
	}
	if c.as != nil {
		c.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as}
	}
	c.cmd.Env = append(c.environ(), c.env...)
	talk, err := c.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	serves, ended := make(chan bool, 1), make(chan error, 1)
	c.ended = ended
	cmd := c.cmd
	go func() {
		lines := bufio.NewReader(talk)
		for {
			line, err := lines.ReadString('\n')
			c.mu.Lock()
			c.said.WriteString(line)
			c.mu.Unlock()
			if strings.Contains(line, "proffer is up") {
				serves <- true
			}
			if err != nil {
				break
			}
		}
		ended <- cmd.Wait()
	}()
	select {
	case <-serves:
		return nil
	case err := <-ended:
		ended <- err
		return fmt.Errorf("ended: %v", err)
	case <-time.After(30 * time.Second):
		return errors.New("does not serve after 30 s")
	}
}

// wanted are the arguments of the test, and what it gets without asking: a cluster that
// starts nothing by itself, offers all that it has, and publishes no port, so that clusters
// side by side have fewer to collide on.
func (c *cluster) wanted() []string {
	args := slices.Clone(c.args)
	for _, d := range [][2]string{{"--boot", "none"}, {"--system-headroom", ""}, {"--publish", "none"}} {
		if !slices.Contains(c.args, d[0]) {
			args = append(args, d[0], d[1])
		}
	}
	return args
}

func (c *cluster) talk() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.String()
}

// stop is ctrl-C; afterwards no process, group or FIFO of the cluster may be left.
func (c *cluster) stop() {
	if c.cmd == nil || c.cmd.Process == nil {
		return
	}
	_ = c.cmd.Process.Signal(os.Interrupt)
	select {
	case err := <-c.ended:
		if err != nil {
			c.t.Errorf("proffer up ended after ctrl-C: %v", err)
		}
	case <-time.After(60 * time.Second):
		c.t.Error("proffer up does not end after ctrl-C")
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
	c.cmd = nil
	for _, left := range leftovers(c.dir) {
		c.t.Errorf("left after ctrl-C: %s", left)
	}
}

// kill9 kills `up` itself, which gets no chance to stop anything.
func (c *cluster) kill9() {
	c.t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		c.t.Fatal(err)
	}
	<-c.ended
	c.cmd = nil
}

// leftovers names processes, FIFOs, mounts and cgroups that belong to a directory.
func leftovers(dir string) []string {
	var out []string
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		cmdline, _ := os.ReadFile(p + "/cmdline")
		cwd, _ := os.Readlink(p + "/cwd")
		if bytes.Contains(cmdline, []byte(dir)) || strings.HasPrefix(cwd, dir) {
			stat, _ := os.ReadFile(p + "/stat") // says whose child it is, and whether it is about to end
			groups, _ := os.ReadFile(p + "/cgroup")
			out = append(out, fmt.Sprintf("process %s: %s (%s in %s)", filepath.Base(p), bytes.ReplaceAll(cmdline, []byte{0}, []byte{' '}), bytes.TrimSpace(stat), bytes.ReplaceAll(bytes.TrimSpace(groups), []byte{'\n'}, []byte{' '})))
		}
	}
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type()&os.ModeNamedPipe != 0 {
			out = append(out, "FIFO "+path)
		}
		return nil
	})
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	if bytes.Contains(mounts, []byte(dir+"/")) {
		out = append(out, "a mount below "+dir)
	}
	return append(out, groupsOf(dir)...)
}

// groupsOf names the cgroups that agents in a directory would have made: each has one
// parent group, named after its work directory.
func groupsOf(dir string) []string {
	var out []string
	agents, _ := filepath.Glob(filepath.Join(dir, "agent*"))
	for _, a := range agents {
		sum := sha256.Sum256([]byte(a))
		left, _ := filepath.Glob("/sys/fs/cgroup/*/proffer-" + hex.EncodeToString(sum[:6]))
		out = append(out, left...)
	}
	return out
}

func (c *cluster) environ() []string {
	return append(os.Environ(), "PROFFER_DIR="+c.dir, "PROFFER_ADDR=", "PROFFER_TOKEN=", "PROFFER_TOKEN_FILE=")
}

// result is what a command of the client did.
type result struct {
	out, talk string
	code      int
}

// try runs `proffer args…` against the cluster, a minute at the most.
func (c *cluster) try(args ...string) result {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "proffer"), args...)
	cmd.Env = c.environ()
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("proffer %v: %v", args, err)
	}
	return result{out.String(), talk.String(), cmd.ProcessState.ExitCode()}
}

// run is try for a command that must succeed.
func (c *cluster) run(args ...string) string {
	c.t.Helper()
	r := c.try(args...)
	if r.code != 0 {
		c.t.Fatalf("proffer %s: exit code %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.talk)
	}
	return r.out
}

func (c *cluster) token() string {
	c.t.Helper()
	if c.reach != nil {
		return c.reach.token
	}
	data, err := os.ReadFile(filepath.Join(c.dir, "token"))
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

func (c *cluster) addr() string {
	if c.reach != nil {
		return c.reach.addr
	}
	return fmt.Sprintf("127.0.0.1:%d", 5050+c.offset)
}

// pids finds processes of the cluster by a part of their command line. A child that has not
// executed its program yet still has its parent's, and is none of them.
func (c *cluster) pids(part string) []int {
	var out []int
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		cmdline, _ := os.ReadFile(p + "/cmdline")
		text := strings.ReplaceAll(string(cmdline), "\x00", " ")
		if strings.Contains(text, part) && belongs(p, text, c.dir) {
			if pid, err := strconv.Atoi(filepath.Base(p)); err == nil {
				out = append(out, pid)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(out), func(pid int) bool { return slices.Contains(out, parentOf(pid)) })
}

// parentOf is the parent of a process; 0 for one that is gone.
func parentOf(pid int) int {
	f := statOf(pid)
	if len(f) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(f[1])
	return parent
}

// belongs tells whether a process is of the cluster in dir: by its arguments or its
// environment (an executor has the directory only there).
func belongs(proc, cmdline, dir string) bool {
	if strings.Contains(cmdline, dir) {
		return true
	}
	environ, _ := os.ReadFile(proc + "/environ")
	return bytes.Contains(environ, []byte(dir+"/"))
}

// eventually waits until check holds, a bound at the most.
func eventually(t *testing.T, bound time.Duration, what string, check func() bool) {
	t.Helper()
	deadline := time.After(bound)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !check() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after %s still not: %s", bound, what)
		}
	}
}

// startTimeOf is field 22 of /proc/PID/stat, or "" for a process that is gone.
func startTimeOf(pid int) string {
	f := statOf(pid)
	if len(f) < 20 || f[0] == "Z" {
		return ""
	}
	return f[19]
}

// statOf are the fields of /proc/PID/stat from the third on; none for a process that is gone.
func statOf(pid int) []string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil && startTimeOf(pid) != "" }

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

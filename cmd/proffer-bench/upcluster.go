package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// upCluster is a `proffer up` of the bench's own.
type upCluster struct {
	cmd   *exec.Cmd
	dir   string
	addr  string
	token string
	ended chan error
	ready time.Duration // from exec to the line that says it serves
}

// startUp starts a cluster with one agent that offers resources, and nothing else unless
// more says so.
func startUp(ctx context.Context, o options, resources string, more ...string) (*upCluster, error) {
	return startCluster(ctx, o, append([]string{"--resources", resources, "--boot", "none", "--system-headroom", "", "--publish", "none"}, more...)...)
}

// binary is the proffer binary that is measured.
func (o options) binary() (string, error) {
	if o.bin != "" {
		return o.bin, nil
	}
	self, err := os.Executable()
	return filepath.Join(filepath.Dir(self), "proffer"), err
}

// startCluster starts `proffer up` with the arguments.
func startCluster(ctx context.Context, o options, more ...string) (*upCluster, error) {
	bin, err := o.binary()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.dir, "proffer-bench-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	u := &upCluster{dir: dir, ended: make(chan error, 1)}
	offset := 5000 + os.Getpid()%2000
	args := append([]string{"up", "--dir", dir, "--port-offset", strconv.Itoa(offset)}, more...)
	u.cmd = exec.CommandContext(ctx, bin, args...)
	u.cmd.Cancel = func() error { return u.cmd.Process.Signal(os.Interrupt) }
	talk, err := u.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := u.cmd.Start(); err != nil {
		return nil, err
	}
	if err := u.waitReady(talk, o.log, begin); err != nil {
		u.stop()
		return nil, err
	}
	u.addr = fmt.Sprintf("127.0.0.1:%d", 5050+offset)
	token, err := os.ReadFile(filepath.Join(dir, "token"))
	if err != nil {
		u.stop()
		return nil, err
	}
	u.token = strings.TrimSpace(string(token))
	return u, nil
}

// waitReady waits for the line that says that the cluster serves. What is said afterwards is
// appended to the file log, where that is named.
func (u *upCluster) waitReady(talk io.Reader, log string, begin time.Time) error {
	rest := io.Discard
	if log != "" {
		f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		rest = f // until this process ends
	}
	serves := make(chan time.Duration, 1)
	var said bytes.Buffer
	go func() {
		lines := bufio.NewScanner(talk)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "proffer is up") {
				serves <- time.Since(begin)
				break
			}
			said.WriteString(lines.Text() + "\n")
		}
		_, _ = io.Copy(rest, talk)
		u.ended <- u.cmd.Wait()
	}()
	select {
	case u.ready = <-serves:
		return nil
	case err := <-u.ended:
		u.ended <- err
		return fmt.Errorf("`proffer up` ended: %v: %s", err, said.String())
	case <-time.After(20 * time.Second):
		return fmt.Errorf("`proffer up` does not serve after 20 s")
	}
}

// stop ends the cluster and removes its directory.
func (u *upCluster) stop() {
	_ = u.cmd.Process.Signal(os.Interrupt)
	select {
	case <-u.ended:
	case <-time.After(60 * time.Second):
		_ = u.cmd.Process.Kill()
		<-u.ended
	}
	_ = os.RemoveAll(u.dir)
}

// tree lists the process ids of the cluster: `up` and everything below it.
func (u *upCluster) tree() []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, s := range stats {
		pid, err := strconv.Atoi(strings.Split(s, "/")[2])
		if err != nil {
			continue
		}
		if f := statFields(pid); len(f) > 1 {
			if parent, err := strconv.Atoi(f[1]); err == nil {
				children[parent] = append(children[parent], pid)
			}
		}
	}
	var out []int
	for todo := []int{u.cmd.Process.Pid}; len(todo) > 0; {
		pid := todo[0]
		todo = append(todo[1:], children[pid]...)
		out = append(out, pid)
	}
	return out
}

// statFields are the fields of /proc/PID/stat from the third on.
func statFields(pid int) []string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	i := bytes.LastIndexByte(data, ')')
	if i < 0 {
		return nil
	}
	return strings.Fields(string(data[i+1:]))
}

// userHz is the unit of times in /proc/PID/stat on Linux.
const userHz = 100

// cpu is the user and system time of the whole tree, its reaped children included.
func (u *upCluster) cpu() time.Duration {
	var sum time.Duration
	for _, pid := range u.tree() {
		sum += cpuTime(pid)
	}
	return sum
}

// cpuTime is the user and system time of a process and of its reaped children.
func cpuTime(pid int) time.Duration {
	ticks := 0
	f := statFields(pid)
	for i := 11; i <= 14 && i < len(f); i++ {
		n, _ := strconv.Atoi(f[i])
		ticks += n
	}
	return time.Duration(ticks) * time.Second / userHz
}

// memory is the PSS in bytes of the processes of the tree that want tells to count.
func (u *upCluster) memory(want func(cmdline string) bool) int64 {
	var sum int64
	for _, pid := range u.tree() {
		if want(strings.Join(words(pid), " ")) {
			sum += pss(pid)
		}
	}
	return sum
}

// words are the arguments of a process, its program first.
func words(pid int) []string {
	cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00")
}

// pss is a process's memory in bytes, with its share of what it shares; rss is all that it
// has in memory.
func pss(pid int) int64 { return rollup(pid, "Pss:") }
func rss(pid int) int64 { return rollup(pid, "Rss:") }

func rollup(pid int, field string) int64 {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == field {
			kib, _ := strconv.ParseInt(f[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// use is what one process of the cluster takes.
type use struct {
	what string // its name and first argument
	cpu  time.Duration
	pss  int64
}

// uses are all processes of the cluster.
func (u *upCluster) uses() map[int]use {
	all := map[int]use{}
	for _, pid := range u.tree() {
		w := words(pid)
		what := filepath.Base(w[0])
		if len(w) > 1 {
			what = strings.TrimPrefix(what, "proffer-") + " " + w[1]
		}
		all[pid] = use{what: strings.TrimPrefix(what, "proffer "), cpu: cpuTime(pid), pss: pss(pid)}
	}
	return all
}

// pidOf finds the process of that subcommand (master, agent, marathonish, chronosish).
func (u *upCluster) pidOf(name string) (int, error) {
	for _, pid := range u.tree() {
		if w := words(pid); len(w) > 1 && w[1] == name {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("no %s runs", name)
}

func kill9(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }

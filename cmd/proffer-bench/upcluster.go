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

// startUp starts a cluster with one agent that offers resources.
func startUp(ctx context.Context, o options, resources string, more ...string) (*upCluster, error) {
	bin := o.bin
	if bin == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		bin = filepath.Join(filepath.Dir(self), "proffer")
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
	args := append([]string{"up", "--dir", dir, "--port-offset", strconv.Itoa(offset), "--resources", resources, "--boot", "none", "--system-headroom", "", "--publish", "none"}, more...)
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
	if err := u.waitReady(talk, begin); err != nil {
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

func (u *upCluster) waitReady(talk io.Reader, begin time.Time) error {
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
		_, _ = io.Copy(io.Discard, talk)
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
	ticks := 0
	for _, pid := range u.tree() {
		f := statFields(pid)
		for i := 11; i <= 14 && i < len(f); i++ {
			n, _ := strconv.Atoi(f[i])
			ticks += n
		}
	}
	return time.Duration(ticks) * time.Second / userHz
}

// memory is the PSS in bytes of the processes of the tree that want tells to count.
func (u *upCluster) memory(want func(cmdline string) bool) int64 {
	var sum int64
	for _, pid := range u.tree() {
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if !want(strings.ReplaceAll(string(cmdline), "\x00", " ")) {
			continue
		}
		data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		for line := range strings.Lines(string(data)) {
			if f := strings.Fields(line); len(f) == 3 && f[0] == "Pss:" {
				kib, _ := strconv.ParseInt(f[1], 10, 64)
				sum += kib << 10
			}
		}
	}
	return sum
}

// pidOf finds the daemon of that name (master, agent) right below `up`.
func (u *upCluster) pidOf(name string) (int, error) {
	for _, pid := range u.tree() {
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if words := strings.Split(string(cmdline), "\x00"); len(words) > 1 && words[1] == name {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("no %s runs", name)
}

func kill9(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }

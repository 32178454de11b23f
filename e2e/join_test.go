package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// waits starts master n beside those of `up`, which knows of no cluster but by gossip, and
// gives its name, once the others see that it waits, and its process.
func (c *cluster) waits(n int) (name string, pid int) {
	c.t.Helper()
	port := 5050 + 10*n + c.offset
	cmd := exec.Command(filepath.Join(binaries, "proffer"), "master", "--dir", filepath.Join(c.dir, fmt.Sprintf("late%d", n)), "--bind", "127.0.0.1",
		"--key", filepath.Join(c.dir, "key"), "--port", strconv.Itoa(port), "--raft-port", strconv.Itoa(port+2),
		"--gossip-port", strconv.Itoa(7946+10*n+c.offset), "--join", fmt.Sprintf("127.0.0.1:%d", 7946+c.offset), "--system-headroom", "")
	watch(c.t, cmd)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	eventually(c.t, 20*time.Second, addr+" waits", func() bool {
		m := c.masters()[addr]
		name = m[0]
		return m[1] == "waits"
	})
	eventually(c.t, 20*time.Second, "it does not know what the others do", func() bool {
		r := c.try("cluster", "members", "--addr", addr, "--token", c.token())
		return strings.Count(r.out, " waits ") == 1 && strings.Contains(r.out, "is not known") && strings.Contains(r.talk, "is in no cluster yet")
	})
	return name, cmd.Process.Pid
}

// losesDisk kills the master n of `up`, which starts it again in an empty directory.
func (c *cluster) losesDisk(n, pid int) {
	c.t.Helper()
	up := c.cmd.Process
	if err := up.Signal(syscall.SIGSTOP); err != nil {
		c.t.Fatal(err)
	}
	kill9(c.t, pid)
	if err := os.RemoveAll(filepath.Join(c.dir, fmt.Sprintf("master%d", n))); err != nil {
		c.t.Error(err)
	}
	if err := up.Signal(syscall.SIGCONT); err != nil {
		c.t.Fatal(err)
	}
}

// launches checks that a task runs to its end.
func (c *cluster) launches() {
	c.t.Helper()
	if got := c.run("run", "--cpus", "0.1", "--mem", "32", "--", "echo", "again"); got != "again\n" {
		c.t.Errorf("a run printed %q", got)
	}
}

// TestMastersComeAndGo: two masters are added to three, and lost for good while one of them
// leads; after their removal one of the three loses its disk, and is let in as another.
// Tasks notice nothing.
func TestMastersComeAndGo(t *testing.T) {
	c := startCluster(t, "--masters", "3", "--agents", "1", "--resources", "cpus:2;mem:1024;disk:1024")
	c.settled(3)
	c.writers(2)
	was := c.undisturbed(2, nil)

	var names []string
	var pids []int
	for i, host := range []string{"127.0.0.1", "localhost"} { // the second goes by another address than it is added by
		name, pid := c.waits(3 + i)
		names, pids = append(names, name), append(pids, pid)
		r := c.try("cluster", "join", fmt.Sprintf("%s:%d", host, 5082+10*i+c.offset))
		even := strings.Contains(r.talk, "4 masters vote now") && strings.Contains(r.talk, "have an odd number")
		if r.code != 0 || !strings.HasPrefix(r.talk, name+" votes\n") || even != (i == 0) || i == 1 && strings.Contains(r.talk, "odd") {
			t.Errorf("join of %s: %+v", name, r)
		}
	}
	c.settled(5)
	c.run("cluster", "transfer", names[0])
	for _, pid := range pids {
		kill9(t, pid)
	}
	c.launches()
	c.undisturbed(2, was)

	for i, name := range names {
		r := c.try("cluster", "remove", name)
		if even := strings.Contains(r.talk, "4 masters vote now"); r.code != 0 || even != (i == 0) || i == 1 && r.talk != "" {
			t.Errorf("remove of %s: %+v", name, r)
		}
		c.settled(4 - i)
	}

	// It leads, is the first founder, and the one whom clients ask first.
	was0 := c.masters()[c.addr()][0]
	if c.settled(3) != c.addr() {
		c.run("cluster", "transfer", was0)
	}
	c.losesDisk(0, c.masterPID(c.addr()))
	c.launches()
	c.run("cluster", "remove", was0)
	eventually(t, 20*time.Second, "it votes again, as another", func() bool {
		m := c.masters()[c.addr()]
		return m[0] != was0 && (m[1] == "follows" || m[1] == "leads")
	})
	c.settled(3)
	c.launches()
	c.undisturbed(2, was)
}

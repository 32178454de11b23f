package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// masters are `cluster members`, by their HTTP port: name and role. Of two at one address
// it is the first: one that was removed is listed last until gossip has lost it.
func (c *cluster) masters() map[string][2]string {
	out := map[string][2]string{}
	for _, line := range strings.Split(c.try("cluster", "members").out, "\n") {
		f := strings.Fields(strings.ReplaceAll(line, "catches up", "catches"))
		if len(f) > 3 && f[0] != "NAME" && out[f[2]][0] == "" {
			out[f[2]] = [2]string{f[0], f[1]}
		}
	}
	return out
}

// settled waits until n masters take part and one of them leads; that one's address.
func (c *cluster) settled(n int) (leader string) {
	c.t.Helper()
	eventually(c.t, 20*time.Second, fmt.Sprintf("%d masters take part", n), func() bool {
		leader = ""
		votes := 0
		for addr, m := range c.masters() {
			if m[1] == "leads" {
				leader = addr
			}
			if m[1] == "leads" || m[1] == "follows" {
				votes++
			}
		}
		return leader != "" && votes == n
	})
	return leader
}

// masterPID is the process of the master with that address.
func (c *cluster) masterPID(addr string) int {
	c.t.Helper()
	return c.one(" --port " + addr[strings.LastIndexByte(addr, ':')+1:] + " --raft-port")
}

// writers starts n tasks that write pid and start time once, and then go on.
func (c *cluster) writers(n int) {
	c.t.Helper()
	for i := range n {
		c.run("run", "--detach", "--cpus", "0.1", "--mem", "32", "--name", fmt.Sprintf("w%d", i), "--", "sh", "-c",
			fmt.Sprintf("echo $$ >> %s; exec sleep 3600", filepath.Join(c.truth, fmt.Sprintf("w%d", i))))
	}
}

// undisturbed checks that each of the writers has started once and still is that process.
func (c *cluster) undisturbed(n int, since map[int]string) map[int]string {
	c.t.Helper()
	now := map[int]string{}
	for i := range n {
		name := filepath.Join(c.truth, fmt.Sprintf("w%d", i))
		eventually(c.t, 20*time.Second, name+" has started", func() bool { return strings.Contains(read(c.t, name), "\n") })
		pid, err := strconv.Atoi(strings.TrimSpace(read(c.t, name)))
		if err != nil || startTimeOf(pid) == "" {
			c.t.Fatalf("w%d: %q, %v", i, read(c.t, name), err)
		}
		now[pid] = startTimeOf(pid)
	}
	for pid, start := range since {
		if now[pid] != start {
			c.t.Errorf("the process %d is another one, or gone", pid)
		}
	}
	return now
}

// TestMastersOutliveEachOther: three masters; each leader in turn is killed, and calls
// through any master go on; the operator's commands; tasks notice nothing.
func TestMastersOutliveEachOther(t *testing.T) {
	c := startCluster(t, "--masters", "3", "--agents", "2", "--resources", "cpus:2;mem:1024;disk:1024", "--resources", "cpus:2;mem:1024;disk:1024")
	c.settled(3)
	c.writers(4)
	was := c.undisturbed(4, nil)
	for round := range 3 {
		leader := c.settled(3)
		kill9(t, c.masterPID(leader))
		began := time.Now()
		if got := c.run("run", "--cpus", "0.1", "--mem", "32", "--", "echo", "again"); got != "again\n" {
			t.Errorf("a run while nobody leads printed %q", got)
		}
		t.Logf("round %d: a run was done %v after the leader's death", round, time.Since(began))
		c.settled(3)
		for addr := range c.masters() {
			if addr == leader { // on its way back
				eventually(t, 20*time.Second, "ps answers at "+addr, func() bool { return strings.Contains(c.try("ps", "--addr", addr).out, "w3") })
			} else if ps := c.run("ps", "--addr", addr); !strings.Contains(ps, "w3") {
				t.Errorf("ps at %s: %s", addr, ps)
			}
		}
	}
	was = c.undisturbed(4, was)

	leader := c.settled(3)
	members := c.masters()
	name := members[leader][0]
	for args, want := range map[string]string{
		"cluster remove " + name:        "hand over first",
		"cluster remove nobody":         "no master of the name",
		"cluster transfer nobody":       "no master of the name",
		"cluster join 127.0.0.1:1":      "refused",
		"cluster snapshot restore /dev": "directory",
	} {
		if r := c.try(strings.Fields(args)...); r.code == 0 || !strings.Contains(r.talk, want) {
			t.Errorf("%s: %+v", args, r)
		}
	}
	c.run("cluster", "transfer")
	eventually(t, 10*time.Second, "another leads", func() bool { l := strings.TrimSpace(c.try("cluster", "leader").out); return l != "" && l != leader })
	if r := c.try("cluster", "leave", c.masters()[c.settled(3)][0]); r.code != 0 || !strings.Contains(r.talk, "have an odd number") {
		t.Errorf("leave: %+v", r)
	}
	c.settled(2)
	c.undisturbed(4, was)
}

// wipe kills all masters and takes their disks, and awaits that new ones lead a cluster
// that knows nothing.
func (c *cluster) wipe() {
	c.t.Helper()
	up := c.cmd.Process
	if err := up.Signal(syscall.SIGSTOP); err != nil {
		c.t.Fatal(err)
	}
	for _, pid := range c.pids("proffer master ") {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for i := range 3 {
		if err := os.RemoveAll(filepath.Join(c.dir, fmt.Sprintf("master%d", i))); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := up.Signal(syscall.SIGCONT); err != nil {
		c.t.Fatal(err)
	}
	c.settled(3)
}

// longerThanALease is how long the masters of the test stay empty.
const longerThanALease = 12 * time.Second

// TestSnapshotOntoEmptyMasters: all masters lose their disks under running agents; new
// ones wait empty for longer than a lease, are given a saved snapshot, and the agents come
// back with their tasks: the services', and the frameworks' that run there, too. After that
// the masters are lost once more, and given the same file.
func TestSnapshotOntoEmptyMasters(t *testing.T) {
	c := newCluster(t, append(booted(), "--masters", "3", "--agents", "2")...)
	for i := range 2 {
		first := 21000 + c.offset + 40*i
		c.args = append(c.args, "--resources", fmt.Sprintf("cpus:2;mem:2048;disk:1024;ports:[%d-%d]", first, first+39))
	}
	c.start()
	c.settled(3)
	m := newMarathon(c)
	m.await()
	m.must(http.MethodPut, "/v2/apps/kept", map[string]any{"cmd": c.pidWriter("kept"), "instances": 2, "cpus": 0.1, "mem": 16, "portDefinitions": []any{}}, nil)
	answers := func() bool { status, _ := c.chronos(http.MethodGet, "/jobs", ""); return status == http.StatusOK }
	eventually(t, 30*time.Second, "chronosish answers, and the service runs", func() bool { return answers() && len(c.lines("kept")) == 2 })
	c.writers(4)
	was := c.undisturbed(4, nil)
	for _, pid := range append(c.lines("kept"), c.one(" marathonish"), c.one(" chronosish")) {
		was[pid] = startTimeOf(pid)
	}
	saved := filepath.Join(c.dir, "saved")
	c.run("cluster", "snapshot", "save", saved)
	if info, err := os.Stat(saved); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the saved file: %v, %v", info, err)
	}
	for round := range 2 {
		// What comes after the snapshot is unknown to who reads it.
		late := fmt.Sprintf("late%d", round)
		m.must(http.MethodPut, "/v2/apps/"+late, map[string]any{"cmd": c.pidWriter(late), "instances": 1, "cpus": 0.1, "mem": 16, "portDefinitions": []any{}}, nil)
		eventually(t, 20*time.Second, late+" runs", func() bool { return len(c.lines(late)) == 1 })
		c.wipe()
		if round == 0 {
			c.refusesDamaged(saved)
			<-time.NewTimer(longerThanALease).C
		}
		eventually(t, 20*time.Second, "status says what is awaited", func() bool { return strings.Contains(c.try("status").out, "restore their snapshot") })
		c.run("cluster", "snapshot", "restore", saved)
		c.settled(3)
		eventually(t, 30*time.Second, "both agents are back", func() bool { return strings.Contains(c.try("status").out, "2 of 2") })
		m.await()
		eventually(t, 20*time.Second, "chronosish answers", answers)
		if status, text := m.do(http.MethodGet, "/v2/apps/"+late, nil); status != http.StatusNotFound {
			t.Errorf("marathonish goes on with what its store does not have: %d %s", status, text)
		}
		for pid, start := range was {
			if startTimeOf(pid) != start {
				t.Errorf("round %d: the process %d is another one, or gone", round, pid)
			}
		}
		if pids := c.lines("kept"); len(pids) != 2 {
			t.Errorf("round %d: instances of the service: %v", round, pids)
		}
		if got := c.run("run", "--cpus", "0.1", "--mem", "32", "--", "echo", "again"); got != "again\n" {
			t.Errorf("a run printed %q", got)
		}
	}
	m.must(http.MethodPut, "/v2/apps/new", map[string]any{"cmd": c.pidWriter("new"), "instances": 1, "cpus": 0.1, "mem": 16, "portDefinitions": []any{}}, nil)
	eventually(t, 20*time.Second, "new services run", func() bool { return len(c.lines("new")) == 1 })
}

// refusesDamaged checks that a damaged snapshot changes nothing.
func (c *cluster) refusesDamaged(saved string) {
	t := c.t
	t.Helper()
	for damage, data := range map[string]string{
		"no snapshot": "hello\n",
		"is cut off":  read(t, saved)[:len(read(t, saved))-100],
		"is damaged":  read(t, saved)[:len(read(t, saved))-100] + "x" + read(t, saved)[len(read(t, saved))-99:],
	} {
		bad := filepath.Join(c.dir, "bad")
		if err := os.WriteFile(bad, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := c.try("cluster", "snapshot", "restore", bad); r.code == 0 || !strings.Contains(r.talk, damage) {
			t.Errorf("a snapshot that %s: %+v", damage, r)
		}
	}
}

// TestLeaderWithAWrongClock: a master whose clock is five hours ahead joins and is handed
// the leadership. Nothing ends for that, people are told, new tasks run, and what an agent
// that falls silent ran is replaced elsewhere as soon as under any other leader.
func TestLeaderWithAWrongClock(t *testing.T) {
	c := startCluster(t, append(booted(), "--masters", "3", "--agents", "2", "--resources", "cpus:2;mem:1024;disk:512", "--resources", "cpus:2;mem:1024;disk:512")...)
	c.settled(3)
	c.writers(2)
	was := c.undisturbed(2, nil)
	m := newMarathon(c)
	m.await()
	m.must(http.MethodPut, "/v2/apps/kept", map[string]any{"cmd": c.pidWriter("kept"), "instances": 1, "cpus": 0.1, "mem": 16, "portDefinitions": []any{}}, nil)
	eventually(t, 20*time.Second, "the service runs", func() bool { return len(c.lines("kept")) == 1 })
	port := 5090 + c.offset
	late := watch(t, exec.Command(filepath.Join(binaries, "proffer"), "master", "--dir", filepath.Join(t.TempDir(), "late"), "--bind", "127.0.0.1", "--key", filepath.Join(c.dir, "key"),
		"--port", strconv.Itoa(port), "--raft-port", strconv.Itoa(port+2), "--gossip-port", strconv.Itoa(7986+c.offset), "--join", fmt.Sprintf("127.0.0.1:%d", 7946+c.offset),
		"--raft-join", fmt.Sprintf("127.0.0.1:%d", 5052+c.offset), "--system-headroom", "", "--test-clock-offset", "5h"))
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	eventually(t, 20*time.Second, "the fourth master is a member", func() bool {
		return c.masters()[addr][0] != "" && strings.Contains(c.try("cluster", "members").out, "follows")
	})
	eventually(t, 20*time.Second, "it leads", func() bool {
		if strings.Contains(c.try("cluster", "leader").out, addr) {
			return true
		}
		c.try("cluster", "transfer", c.masters()[addr][0])
		return false
	})
	eventually(t, 20*time.Second, "status tells of the clocks, and the agents are there", func() bool {
		status := c.try("status").out // on a busy machine what tells of a clock is some seconds old
		return strings.Contains(status, "by -5h0m") && strings.Contains(status, "agents    2 of 2")
	})
	c.undisturbed(2, was)
	if got := c.run("run", "--cpus", "0.1", "--mem", "32", "--", "echo", "on"); got != "on\n" {
		t.Errorf("a task printed %q", got)
	}
	if strings.Contains(late(), "it was away for longer") {
		t.Errorf("a framework was removed: %s", late())
	}
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", c.lines("kept")[0]))
	home := regexp.MustCompile(regexp.QuoteMeta(c.dir) + `/agent[0-9]`).FindString(cwd)
	if err != nil || home == "" {
		t.Fatalf("the service runs in %q, %v", cwd, err)
	}
	goOn := c.pause(c.one(" agent --dir " + home + " "))
	eventually(t, 30*time.Second, "the service runs elsewhere", func() bool { return len(c.lines("kept")) == 2 })
	goOn()
	c.run("cluster", "leave", c.masters()[addr][0])
	c.settled(3)
	c.undisturbed(2, was)
}

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/e2e/disk"
	"github.com/profferhq/proffer/sdk/store"
)

// onDisk puts a daemon's directory onto a disk whose fsync the test has in its hand.
func (n *netCluster) onDisk(name string) *disk.Disk {
	n.t.Helper()
	_, err := os.Stat("/dev/fuse")
	need(n.t, "/dev/fuse", err == nil)
	o := disk.Options{Folder: filepath.Join(n.dir, name+".real"), At: filepath.Join(n.dir, name), Inside: n.hosts[name].Do,
		Follows: func(name string) bool {
			return slices.Contains([]string{"raft.db", "state.bin", "meta.json", "ledger", "ledger.new"}, name)
		}}
	for _, dir := range []string{o.Folder, o.At} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			n.t.Fatal(err)
		}
	}
	d, err := disk.Mount(o)
	if err != nil {
		n.t.Fatal(err) // also where tests may skip: this machine has all that it takes
	}
	return d // it goes with its host
}

// syncs is a cluster under load whose masters and one agent have such disks.
type syncs struct {
	*busy
	disks map[string]*disk.Disk
}

func startSyncs(t *testing.T) *syncs {
	t.Helper()
	s := &syncs{disks: map[string]*disk.Disk{}}
	s.busy = startBusy(t, func(n *netCluster) {
		for _, name := range []string{"m0", "m1", "m2", "a0"} {
			s.disks[name] = n.onDisk(name)
		}
	})
	return s
}

// TestSlowSyncs: an fsync takes half a second, then three, at a follower, at the leader and
// at an agent. Calls are answered within their bounds, nothing is lost, and a leader whose
// disk keeps everybody waiting hands over. The short form leaves out what is harmless.
func TestSlowSyncs(t *testing.T) {
	s := startSyncs(t)
	rows := []struct {
		what  string
		delay time.Duration
		long  bool
	}{
		{"follower", 500 * time.Millisecond, true}, {"follower", 3 * time.Second, false},
		{"leader", 500 * time.Millisecond, false}, {"leader", 3 * time.Second, false},
		{"a0", 500 * time.Millisecond, true}, {"a0", 3 * time.Second, false},
	}
	for _, row := range rows {
		if row.long && os.Getenv("PROFFER_SOAK") == "" {
			continue
		}
		leader := s.settledNet()
		victim := map[string]string{"follower": s.others(leader)[0], "leader": leader, "a0": "a0"}[row.what]
		slowest := s.elsewhere(victim)
		began := time.Now()
		s.sw.Note(fmt.Sprintf("an fsync at %s takes %v", victim, row.delay))
		s.disks[victim].Slow(row.delay)
		if row.what == "leader" && row.delay > time.Second {
			eventually(t, 10*time.Second, "another leads", func() bool { l := s.leader(s.others(victim)...); return l != "" && l != victim })
			if !strings.Contains(s.daemons[victim].talk(), "the disk is slow") {
				t.Errorf("%s does not say why it leads no longer", victim)
			}
		}
		s.pass(row.delay + 2*time.Second - time.Since(began))
		s.disks[victim].Slow(0)
		during, took := s.f.launchedSince(began), slowest()
		t.Logf("%s (%s), %v an fsync: %d launches acknowledged in %v; the slowest calls elsewhere: %v",
			row.what, victim, row.delay, during, time.Since(began).Round(time.Millisecond), took)
		for kind, slow := range took {
			if slow > elsewhereBound {
				t.Errorf("an fsync of %v at the %s: a call of the %s elsewhere took %v", row.delay, row.what, kind, slow)
			}
		}
	}
	s.judge()
}

// ends waits for a daemon that is to end by itself, and gives its last words.
func (n *netCluster) ends(name string, within time.Duration) string {
	n.t.Helper()
	select {
	case <-n.daemons[name].ended:
	case <-time.After(within):
		n.t.Errorf("%s goes on after its disk has failed", name)
		n.kill(name)
	}
	talk := n.daemons[name].talk()
	said, _, _ := strings.Cut(talk[max(0, strings.LastIndex(talk, "proffer: ")):], "\n") // beside it others may log
	return said
}

// TestFailingSyncs: an fsync fails with EIO at a follower, at the leader and at an agent.
// Each ends with a sentence. Its machine loses its power at once, or when it has been
// started again and has built on what it read, which was never on the disk. The others go
// on, it is taken back, and nothing that was acknowledged is gone.
func TestFailingSyncs(t *testing.T) {
	s := startSyncs(t)
	rows := []struct {
		what  string
		later bool // power is lost after the next start
	}{{"follower", false}, {"leader", true}, {"a0", false}, {"a0", true}}
	for _, row := range rows {
		leader := s.settledNet()
		victim := map[string]string{"follower": s.others(leader)[0], "leader": leader, "a0": "a0"}[row.what]
		d, own := s.disks[victim], s.space("c1", "own")
		s.sw.Note("the disk of " + victim + " fails")
		d.Fail(syscall.EIO)
		last := s.ends(victim, 10*time.Second)
		_, bad := d.Syncs()
		file := map[bool]string{true: "raft/raft.db", false: "checkpoint/ledger"}[victim[0] == 'm']
		for _, part := range []string{filepath.Join(s.dir, victim, file), "input/output error", "start it again"} {
			if !strings.Contains(last, part) {
				t.Errorf("the %s's last words lack %q: %s", row.what, part, last)
			}
		}
		lose := func() {
			lost, err := d.PowerLoss()
			t.Logf("%s (%s): after %d failed fsyncs %d files lost something; it said: %s", row.what, victim, bad, lost, last)
			if bad == 0 || lost == 0 && !row.later || err != nil {
				t.Errorf("nothing was tested: %d failed, %d lost, %v", bad, lost, err)
			}
		}
		if !row.later {
			lose()
		}
		began := time.Now()
		eventually(t, 20*time.Second, "writes and launches go on", func() bool {
			_, err := own.Commit(t.Context(), store.Txn{Then: []store.Op{store.Put(row.what, nil)}})
			return err == nil && s.f.launchedSince(began) > 20
		})
		d.Fail(0)
		s.start(victim)
		s.whole()
		if row.later {
			began := time.Now()
			eventually(t, 20*time.Second, "it builds on that", func() bool { return s.f.launchedSince(began) > 20 })
			s.kill(victim)
			lose()
			s.start(victim)
			s.whole()
		}
		if talk := s.daemons[victim].talk(); strings.Contains(talk, "damaged") {
			t.Errorf("the loss of power has damaged what %s had built upon: %s", victim, talk[strings.Index(talk, "damaged"):])
		}
	}
	s.judge()
}

// whole waits until all masters and agents are there.
func (s *syncs) whole() {
	s.t.Helper()
	s.settledNet()
	eventually(s.t, 30*time.Second, "both agents are there", func() bool { return strings.Contains(s.cli("c0", "status").out, "2 of 2") })
}

// TestDiskFailsAtTheStart: whichever of its first writes fails, a master that makes a
// cluster of its own ends with a sentence, and does not hang.
func TestDiskFailsAtTheStart(t *testing.T) {
	n := newNet(t, 0, "none")
	d := n.onDisk("m0")
	ended := 0
	for good := range 12 {
		if err := os.RemoveAll(filepath.Join(n.dir, "m0.real", "raft")); err != nil {
			t.Fatal(err)
		}
		d.FailAfter(good, syscall.EIO)
		n.daemons["m0"] = &daemon{host: "m0", args: []string{"master", "--dir", filepath.Join(n.dir, "m0"), "--bind", n.hosts["m0"].Addr.String(),
			"--key", filepath.Join(n.dir, "key"), "--bootstrap", "--system-headroom", "", "--boot", "none", "--log-level", "error"}}
		n.start("m0")
		m := n.daemons["m0"]
		eventually(t, 20*time.Second, "it leads or ends", func() bool {
			select {
			case <-m.ended:
				return true
			default:
				_, bad := d.Syncs()
				return bad == 0 && n.leader("m0") == "m0"
			}
		})
		if _, bad := d.Syncs(); bad == 0 {
			n.stopped(m)
			continue
		}
		ended++
		if last := n.ends("m0", 10*time.Second); !strings.Contains(last, "raft") || !strings.Contains(last, "input/output error") {
			t.Errorf("after %d fsyncs that went well it said: %s", good, m.talk())
		}
	}
	if ended < 3 {
		t.Errorf("only %d of the starts met the failure", ended)
	}
}

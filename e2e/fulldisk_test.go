package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk/store"
)

// onSmallDisk gives a daemon's directory so many MiB, and no more.
func (n *netCluster) onSmallDisk(name string, size int) {
	n.t.Helper()
	dir := filepath.Join(n.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		n.t.Fatal(err)
	}
	err := n.hosts[name].Do(func() error { return unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=755", size)) })
	if err != nil {
		n.t.Fatal(err)
	}
}

// on runs a script on a host, and does not ask how it went.
func (n *netCluster) on(name, script string) {
	n.t.Helper()
	cmd := exec.Command("sh", "-c", script)
	if err := n.hosts[name].Start(cmd); err != nil {
		n.t.Fatal(err)
	}
	_ = cmd.Wait()
}

// TestMastersWithFullDisks: a follower, and then the leader, can not write any more. It
// says so and ends, the others go on and lose nothing; with room again it is started, and
// catches up.
func TestMastersWithFullDisks(t *testing.T) {
	b := startBusy(t, func(n *netCluster) {
		for _, name := range n.others("") {
			n.onSmallDisk(name, 24)
		}
	})
	value := make([]byte, 64<<10)
	for _, what := range []string{"follower", "leader"} {
		leader := b.settledNet()
		victim := map[string]string{"follower": b.others(leader)[0], "leader": leader}[what]
		dir := filepath.Join(b.dir, victim)
		b.sw.Note("the disk of " + victim + " is full")
		b.on(victim, fmt.Sprintf("dd if=/dev/zero of=%s/fill bs=64k 2>/dev/null; dd if=/dev/zero of=%[1]s/fill2 bs=512 2>/dev/null", dir))
		s := b.space("c1", "disk", b.others(victim)...)
		written, slowest, kept := 0, time.Duration(0), map[string]bool{}
		write := func() (err error) {
			began := time.Now()
			key := fmt.Sprintf("%s%d", what, written%8)
			_, err = s.Commit(t.Context(), store.Txn{Then: []store.Op{store.Put(key, value)}})
			kept[key] = kept[key] || err == nil
			written++
			slowest = max(slowest, time.Since(began))
			return err
		}
		eventually(t, 30*time.Second, "it ends", func() bool {
			if err := write(); err != nil && what == "follower" {
				t.Errorf("a write beside a full disk: %v", err)
			}
			select {
			case <-b.daemons[victim].ended:
				return true
			default:
				return written > 500
			}
		})
		last := b.ends(victim, 10*time.Second)
		for _, part := range []string{filepath.Join(dir, "raft", "raft.db"), "no space left on device", "make room in " + dir, "nothing else", "start it again"} {
			if !strings.Contains(last, part) {
				t.Errorf("the %s's last words lack %q: %s", what, part, last)
			}
		}
		began := time.Now()
		eventually(t, 20*time.Second, "another leads, writes and launches go on", func() bool {
			return write() == nil && b.leader(b.others(victim)...) != victim && b.f.launchedSince(began) > 20
		})
		t.Logf("%s (%s): %d writes of 64 KiB, the slowest took %v; it said: %s", what, victim, written, slowest, last)
		if slowest > elsewhereBound {
			t.Errorf("a write beside a full disk took %v", slowest)
		}
		b.on(victim, fmt.Sprintf("rm -f %s/fill %[1]s/fill2", dir))
		b.start(victim)
		b.settledNet()
		own := b.space("c1", "disk", victim)
		for key, acknowledged := range kept {
			if kv, err := own.Get(t.Context(), key); acknowledged && (err != nil || len(kv.Value) != len(value)) {
				t.Errorf("%s, by way of %s: %d bytes, %v", key, victim, len(kv.Value), err)
			}
		}
	}
	b.judge()
}

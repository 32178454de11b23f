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

// TestFollowerWithAFullDisk: a follower that cannot write any more says so and ends, the
// others go on; with room again it is started, and catches up.
func TestFollowerWithAFullDisk(t *testing.T) {
	if os.Getenv("PROFFER_SOAK") == "" {
		t.Skip("PROFFER_SOAK runs it")
	}
	n := newNet(t, 0, "none")
	for name, h := range n.hosts {
		if name[0] != 'm' {
			continue
		}
		dir := filepath.Join(n.dir, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := h.Do(func() error { return unix.Mount("tmpfs", dir, "tmpfs", 0, "size=24m,mode=755") }); err != nil {
			t.Fatal(err)
		}
	}
	n.up()
	leader := n.settledNet()
	victim := n.others(leader)[0]
	on := func(script string) {
		t.Helper()
		cmd := exec.Command("sh", "-c", script)
		if err := n.hosts[victim].Start(cmd); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // a full disk is what dd ends with
	}
	n.sw.Note("the disk of " + victim + " is full")
	on(fmt.Sprintf("dd if=/dev/zero of=%s/fill bs=64k 2>/dev/null; dd if=/dev/zero of=%[1]s/fill2 bs=512 2>/dev/null", filepath.Join(n.dir, victim)))
	s := n.space("c0", "disk", n.others(victim)...)
	value := make([]byte, 64<<10)
	written := 0
	ended := func() bool {
		select {
		case <-n.daemons[victim].ended:
			return true
		default:
			return false
		}
	}
	eventually(t, 30*time.Second, "the follower with the full disk ends", func() bool {
		began := time.Now()
		_, err := s.Commit(t.Context(), store.Txn{Then: []store.Op{store.Put(fmt.Sprintf("k%d", written%8), value)}})
		if took := time.Since(began); err != nil || took > elsewhereBound {
			t.Errorf("a write beside a full disk: %v after %v", err, took)
		}
		written++
		return ended() || written > 200
	})
	talk := n.daemons[victim].talk()
	if !ended() || !strings.Contains(talk, "no space left on device") {
		t.Errorf("after %d writes it ended: %v; it said:\n%s", written, ended(), talk[max(0, len(talk)-2000):])
	}
	on(fmt.Sprintf("rm -f %s/fill %[1]s/fill2", filepath.Join(n.dir, victim)))
	n.start(victim)
	n.settledNet()
	own := n.space("c0", "disk", victim)
	if kv, err := own.Get(t.Context(), "k0"); err != nil || len(kv.Value) != len(value) {
		t.Errorf("what was written meanwhile, by way of that one: %d bytes, %v", len(kv.Value), err)
	}
}

package consensus

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// lone is a cluster of one master with that id.
func lone(t *testing.T, id string) *Node {
	t.Helper()
	o := testOptions(t, "m1", t.TempDir())
	o.Bootstrap = true
	n := startNode(t, o)
	awaitTerm(t, n)
	for _, c := range []registry.Command{
		{Type: registry.CommandMember, Member: &registry.Member{Name: "m1", Command: registry.CommandVersion, Store: store.CommandVersion}},
		{Type: registry.CommandBootstrap, Bootstrap: &registry.Bootstrap{ClusterID: id, Name: "test"}},
	} {
		n.mustPropose(t, c)
	}
	return n
}

func (n *Node) mustPropose(t *testing.T, c registry.Command) registry.Result {
	t.Helper()
	r, err := n.Propose(bounded(t), c)
	if err != nil || r.Err != nil {
		t.Fatal(err, r.Err)
	}
	return r
}

func (n *Node) mustStore(t *testing.T, c store.Command) store.Result {
	t.Helper()
	r, err := n.ProposeStore(bounded(t), c)
	if err != nil || r.Err != nil {
		t.Fatal(err, r.Err)
	}
	return r
}

func (n *Node) admit(t *testing.T) sdk.AgentID {
	t.Helper()
	admit := registry.AdmitAgent{Info: sdk.AgentInfo{Hostname: "h"}}
	return n.mustPropose(t, registry.Command{Type: registry.CommandAdmitAgent, AdmitAgent: &admit}).AgentID
}

// A saved cluster is put onto other masters, and onto them again: what was stored is
// there, and no generation, agent, lease or revision is the one of a life before.
func TestRestoreGivesNothingTwice(t *testing.T) {
	saved := lone(t, "aaaaaaaaaaaa")
	grant := store.Command{Type: store.CommandGrant, Space: stateSpace(), Grant: &store.Grant{TTL: int64(time.Minute)}}
	saved.mustStore(t, putCommand("kept", "v"))
	lease := saved.mustStore(t, grant).Granted.ID
	held := putCommand("leader", "me")
	held.Commit.Then[0].Lease = lease
	saved.mustStore(t, held)
	var file bytes.Buffer
	if _, err := saved.Save(bounded(t), &file); err != nil {
		t.Fatal(err)
	}
	agents := map[sdk.AgentID]bool{saved.admit(t): true} // after the snapshot
	leases := map[string]bool{lease: true, saved.mustStore(t, grant).Granted.ID: true}
	seen := saved.mustStore(t, putCommand("lost", "v")).Index

	var generation uint64
	empty := lone(t, "bbbbbbbbbbbb")
	for range 2 {
		b, err := ReadBackup(bytes.NewReader(file.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := empty.Restore(bounded(t), b); err != nil {
			t.Fatal(err)
		}
		if valueOf(empty, "kept") != "v" || valueOf(empty, "leader") != "" || valueOf(empty, "lost") != "" {
			t.Error("the store is not the saved one without its leases")
		}
		empty.ViewStore(func(s *store.State) {
			if _, err := s.Since(stateSpace(), "", seen); sdk.CodeOf(err) != sdk.CodeGone {
				t.Errorf("a watch from revision %d goes on: %v", seen, err)
			}
		})
		empty.View(func(s *registry.State) {
			if s.ClusterID() != "aaaaaaaaaaaa" || s.Generation() <= generation {
				t.Errorf("the cluster is %s in the generation %d, after %d", s.ClusterID(), s.Generation(), generation)
			}
			generation = s.Generation()
		})
		if id := empty.admit(t); agents[id] {
			t.Errorf("the agent id %s is given twice", id)
		} else {
			agents[id] = true
		}
		if id := empty.mustStore(t, grant).Granted.ID; leases[id] {
			t.Errorf("the lease id %s is given twice", id)
		} else {
			leases[id] = true
		}
		if now := empty.mustStore(t, putCommand("new", "v")).Index; now <= seen {
			t.Errorf("revision %d after %d", now, seen)
		} else {
			seen = now
		}
	}
	if generation < uint64(time.Now().Add(-time.Minute).Unix()) {
		t.Errorf("the generation %d is no time, so another restore of the file could give it again", generation)
	}
}

// Nothing is restored while a master could not read it, which an upgrade that is half done
// has; when that one is upgraded or gone it is.
func TestRestoreWaitsForTheUpgrade(t *testing.T) {
	n := lone(t, "aaaaaaaaaaaa")
	n.mustStore(t, putCommand("kept", "v"))
	save := func() (file bytes.Buffer) {
		if _, err := n.Save(bounded(t), &file); err != nil {
			t.Fatal(err)
		}
		return file
	}
	plain := save()
	admit := registry.AdmitAgent{Info: sdk.AgentInfo{Hostname: "h"}, Nonce: "n"}
	n.mustPropose(t, registry.Command{Type: registry.CommandAdmitAgent, AdmitAgent: &admit})
	nonced := save()
	n.mustStore(t, putCommand("kept", "later"))
	restore := func(file bytes.Buffer) error {
		b, err := ReadBackup(bytes.NewReader(file.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		return n.Restore(bounded(t), b)
	}
	for what, old := range map[string]struct {
		file           bytes.Buffer
		command, store uint32
	}{
		"ids of a life before": {plain, 3, store.CommandVersion},
		"no floor":             {plain, registry.CommandVersion, 1},
		"no nonces":            {nonced, 4, store.CommandVersion},
	} {
		m := registry.Member{Name: "m2", Command: old.command, Store: old.store}
		n.mustPropose(t, registry.Command{Type: registry.CommandMember, Member: &m})
		if err := restore(old.file); sdk.CodeOf(err) != sdk.CodeConflict || !strings.Contains(err.Error(), "finish the upgrade of the masters first") {
			t.Errorf("%s: %v", what, err)
		}
		if valueOf(n, "kept") != "later" || !n.told(m) {
			t.Errorf("%s: it was restored all the same", what)
		}
	}
	m := registry.Member{Name: "m2", Command: 4, Store: store.CommandVersion}
	n.mustPropose(t, registry.Command{Type: registry.CommandMember, Member: &m})
	if err := restore(plain); err != nil || valueOf(n, "kept") != "v" || !n.told(m) {
		t.Errorf("what a master of version 4 can read: %q %v", valueOf(n, "kept"), err)
	}
	if r := n.mustPropose(t, registry.Command{Type: registry.CommandAdmitAgent, AdmitAgent: &admit}); r.Version != 4 {
		t.Errorf("while a master is of version 4, it was applied as version %d", r.Version)
	}
	n.mustStore(t, putCommand("kept", "later"))
	if err := n.left(bounded(t), "m2"); err != nil {
		t.Fatal(err)
	}
	if err := restore(nonced); err != nil || valueOf(n, "kept") != "v" {
		t.Errorf("after the upgrade: %q %v", valueOf(n, "kept"), err)
	}
}

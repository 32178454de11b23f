package master

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/boot"
	"github.com/profferhq/proffer/kernel/consensus"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/store"
)

// A cluster is lost, and a new master has not been given its snapshot yet: whatever comes
// from the old one waits (503), though init is at work already, and the restore needs no
// --force. Afterwards who held a lease hears that it has ended, and leads anew.
func TestWhatIsOfALostClusterWaits(t *testing.T) {
	lost := start(t, true)
	as := func(principal string) string {
		return lost.key.Sign(credential.Claims{Kind: credential.KindOperator, Principal: principal})
	}
	operator := jsonHeader("Authorization", "Bearer "+as("svc"))
	old := lost.space("state", as("svc"))
	lead, err := old.Lead(bounded(t), "leader", "first", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	put(t, old, "kept", "v")
	resp, file := lost.do(http.MethodGet, snapshotPath, operator, "")
	if resp.StatusCode != 200 {
		t.Fatalf("save: %d %s", resp.StatusCode, file)
	}
	clusterID := lost.leader().info.ID[:12]

	empty := start(t, true, func(o *Options) { o.KeyFile = lost.opts.KeyFile })
	mine := empty.space(boot.Space, as(boot.Principal))
	put(t, mine, boot.EpochKey, "1")
	token := lost.key.Sign(credential.Claims{Kind: credential.KindFramework, Principal: "svc", FrameworkID: sdk.FrameworkID(clusterID + "-init"), TaskID: "svc.1"})
	short := func(o *store.Options) { o.Patience = time.Millisecond }
	task, outside := empty.space("state", token, short), empty.space("state", as("svc"), short)
	for what, call := range map[string]func(context.Context) error{
		"a task's token": func(ctx context.Context) error { _, err := task.Get(ctx, "kept"); return err },
		"a lease":        func(ctx context.Context) error { return outside.KeepAlive(ctx, lead.Lease()) },
		"a guarded commit": func(ctx context.Context) error {
			_, err := outside.Commit(ctx, store.Txn{If: []store.Compare{lead.Guard()}})
			return err
		},
	} {
		if err := call(bounded(t)); sdk.CodeOf(err) != sdk.CodeUnavailable {
			t.Errorf("%s: %v", what, err)
		}
	}
	body := strings.Replace(subscribeBody(), `"framework_info":{`, `"framework_info":{"id":{"value":"`+clusterID+`-0007"},`, 1)
	body = strings.Replace(body, `"type":`, `"framework_id":{"value":"`+clusterID+`-0007"},"type":`, 1)
	if resp, text := empty.do(http.MethodPost, "/api/v1/scheduler", operator, body); resp.StatusCode != 503 {
		t.Errorf("a framework: %d %s", resp.StatusCode, text)
	}
	if resp, text := empty.do(http.MethodPut, snapshotPath+"/restore", operator, file); resp.StatusCode != 200 {
		t.Fatalf("restore: %d %s", resp.StatusCode, text)
	}
	empty.await(func() bool {
		err := outside.KeepAlive(bounded(t), lead.Lease())
		return sdk.CodeOf(err) == sdk.CodeNotFound
	}, "the end of the lease")
	again, err := empty.space("state", as("svc")).Lead(bounded(t), "leader", "second", time.Hour)
	if err != nil || again.Lease() == lead.Lease() {
		t.Fatalf("%v", err)
	}
	if kv, err := outside.Get(bounded(t), "kept"); err != nil || string(kv.Value) != "v" {
		t.Errorf("%s %v", kv.Value, err)
	}
	if resp, text := empty.do(http.MethodPut, snapshotPath+"/restore", operator, file); resp.StatusCode != 409 || !strings.Contains(text, "in use") {
		t.Errorf("a second restore without --force: %d %s", resp.StatusCode, text)
	}
	for _, l := range []*store.Leadership{lead, again} {
		_ = l.Resign(bounded(t))
	}
}

// What raft told of an election may be late: nothing is sent under another leader's term.
func TestTermOfAnother(t *testing.T) {
	r := start(t, false)
	now, err := r.consensus.Term()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.prepare(bounded(t), consensus.Term{Number: now + 1}); err == nil || !strings.Contains(err.Error(), "elected for the term") {
		t.Errorf("it would lead: %v", err)
	}
}

// A restore that an older master could not read is refused before the leadership ends for it.
func TestRestoreInAnUpgrade(t *testing.T) {
	r := start(t, false)
	propose := func(c registry.Command) {
		t.Helper()
		if res, err := r.consensus.Propose(bounded(t), c); err != nil || res.Err != nil {
			t.Fatal(err, res.Err)
		}
	}
	_, plain := r.do(http.MethodGet, snapshotPath, jsonHeader(), "")
	propose(registry.Command{Type: registry.CommandAdmitAgent, AdmitAgent: &registry.AdmitAgent{Info: sdk.AgentInfo{Hostname: "h"}, Nonce: "n"}})
	_, nonced := r.do(http.MethodGet, snapshotPath, jsonHeader(), "")
	before := r.leader()
	for what, x := range map[string]struct {
		file string
		old  registry.Member
	}{
		"whatever it holds": {plain, registry.Member{Name: "older", Command: 3, Store: 1}},
		"with a nonce":      {nonced, registry.Member{Name: "older", Command: 4, Store: 2}},
	} {
		propose(registry.Command{Type: registry.CommandMember, Member: &x.old})
		if resp, text := r.do(http.MethodPut, snapshotPath+"/restore?force=true", jsonHeader(), x.file); resp.StatusCode != 409 || !strings.Contains(text, "finish the upgrade of the masters first") {
			t.Errorf("%s: %d %s", what, resp.StatusCode, text)
		}
		if r.leader() != before {
			t.Fatalf("%s: the leadership has ended for it", what)
		}
	}
}

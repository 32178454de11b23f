package master

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/link"
	kernelstore "github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/store"
)

// nursery is an agent, and the framework that launches tasks with tokens on it.
type nursery struct {
	r      *running
	agent  *agentDouble
	stream *opened
	id     sdk.FrameworkID
	tasks  int
}

func newNursery(r *running) *nursery {
	r.t.Helper()
	n := &nursery{r: r, agent: r.registerAgent("host1", "cpus:8;mem:1024")}
	n.stream = r.open("/api/v1/scheduler", jsonHeader("Authorization", "Bearer "+r.operatorToken()), []byte(subscribeBody()))
	n.id = n.stream.next().Subscribed.FrameworkID
	return n
}

// launch starts a task and gives its id and its token, for that principal.
func (n *nursery) launch(principal string) (sdk.TaskID, string) {
	n.r.t.Helper()
	n.tasks++
	id := sdk.TaskID(fmt.Sprintf("svc.%d", n.tasks))
	offer := n.stream.nextOf(sdk.EventOffers).Offers.Offers[0]
	need, err := sdk.ParseResources("cpus:1;mem:32")
	if err != nil {
		n.r.t.Fatal(err)
	}
	zero := 0.0
	body := n.r.encode(&sdk.Call{Type: sdk.CallAccept, FrameworkID: n.id, Accept: &sdk.Accept{OfferIDs: []sdk.OfferID{offer.ID},
		Filters: &sdk.Filters{RefuseSeconds: &zero}, Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: []sdk.TaskInfo{
			{Name: principal, TaskID: id, AgentID: n.agent.id, Resources: need, Command: &sdk.CommandInfo{Value: "exit 0"}}}}}}}})
	h := jsonHeader("Authorization", "Bearer "+n.r.operatorToken(), "Mesos-Stream-Id", n.stream.resp.Header.Get("Mesos-Stream-Id"))
	h.Set("Content-Type", "application/x-msgpack")
	if resp, text := n.r.do("POST", "/api/v1/scheduler", h, string(body)); resp.StatusCode != 202 {
		n.r.t.Fatalf("ACCEPT: %d %q", resp.StatusCode, text)
	}
	if ev := n.agent.nextLink(); ev.Type != link.EventRun {
		n.r.t.Fatalf("agent got %+v", ev)
	}
	return id, n.r.key.Sign(credential.Claims{Kind: credential.KindFramework, Principal: principal, FrameworkID: n.id, TaskID: id, AgentID: n.agent.id})
}

func (n *nursery) end(id sdk.TaskID) {
	u := uuid.New()
	n.agent.post(link.Call{Type: link.CallUpdate, Update: &link.Update{FrameworkID: n.id, Status: sdk.TaskStatus{
		TaskID: id, State: sdk.TaskFailed, AgentID: n.agent.id, UUID: u[:], Source: sdk.SourceExecutor, Timestamp: 1}}})
}

// A lease ends with the task whose token it was granted to, at once; the task's
// watches end and its token is worth nothing. Another of its principal takes over.
func TestLeaseEndsWithItsTask(t *testing.T) {
	r := start(t, true)
	n := newNursery(r)
	first, token := n.launch("svc")
	dying := r.space("state", token)
	_, token = n.launch("svc")
	next := r.space("state", token)
	lead, err := dying.Lead(bounded(t), "leader", "first", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if result := commit(t, dying, store.Txn{If: []store.Compare{lead.Guard()}, Then: []store.Op{store.Put("k", []byte("v"))}}); !result.Held {
		t.Fatal("the guard of a leader does not hold")
	}
	taken := make(chan *store.Leadership, 1)
	go func() {
		l, err := next.Lead(bounded(t), "leader", "second", time.Hour)
		if err != nil {
			t.Error(err)
		}
		taken <- l
	}()
	r.await(func() bool { return r.keeps.Load().watching() == 1 }, "the successor to watch")
	began := time.Now()
	n.end(first)
	successor := <-taken
	// What is promised: a killed framework acts again within three seconds, not after its lease.
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the successor led after %v", took)
	} else {
		t.Logf("the successor led after %v", took)
	}
	if successor == nil {
		return
	}
	kv, err := next.Get(bounded(t), "leader")
	if err != nil || string(kv.Value) != "second" || kv.Lease != successor.Lease() {
		t.Errorf("%+v %v", kv, err)
	}
	if _, err := dying.Commit(bounded(t), store.Txn{If: []store.Compare{lead.Guard()}}); sdk.CodeOf(err) != sdk.CodeUnauthenticated {
		t.Errorf("the token of an ended task: %v", err)
	}
	if result := commit(t, next, store.Txn{If: []store.Compare{lead.Guard()}, Then: []store.Op{store.Delete("k")}}); result.Held {
		t.Error("the guard of the dead still holds")
	}
	if err := successor.Resign(bounded(t)); err != nil {
		t.Error(err)
	}
	if _, err := next.Get(bounded(t), "leader"); sdk.CodeOf(err) != sdk.CodeNotFound {
		t.Errorf("after Resign: %v", err)
	}
}

// watching counts the open watches.
func (k *keeping) watching() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.count
}

// A lease that is bound to a task which ended unseen, such as before this leader
// was elected, ends all the same.
func TestLeaseOfATaskThatEndedUnseenEnds(t *testing.T) {
	r := start(t, false)
	s := r.space("state", "", func(o *store.Options) { o.FrameworkID, o.TaskID = "gone", "svc.1" })
	lease, err := s.Grant(bounded(t), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	r.await(func() bool { return sdk.CodeOf(s.KeepAlive(bounded(t), lease)) == sdk.CodeNotFound }, "the end of the lease")
}

// back has the agent register with its id again, and without any task.
func (n *nursery) back() {
	n.r.t.Helper()
	rs, err := sdk.ParseResources("cpus:8;mem:1024")
	if err != nil {
		n.r.t.Fatal(err)
	}
	n.r.open(link.Path, n.r.agentHeader(), n.r.encode(&link.Call{Version: link.Version, AgentID: n.agent.id, Type: link.CallRegister,
		Register: &link.Register{Agent: sdk.AgentInfo{ID: n.agent.id, Hostname: "host1", Port: 5051, Resources: rs}, BootID: "boot", Address: "127.0.0.1:5051"}}))
}

// nextMind has the same master lead anew, with a mind that knows nothing.
func (r *running) nextMind() {
	r.t.Helper()
	l := r.leader()
	l.inbox.put(item{in: cluster.Failed{ID: 1, Err: errors.New("planted")}})
	r.await(func() bool { n := r.leader(); return n != nil && n != l }, "the next mind")
}

// P3: a framework in a task lives on when the leader changes while its agent is silent,
// whether that is awaited or unreachable already: it keeps its lease, writes under its
// guard, and subscribes. When the agent is back without the task, all of that is over.
func TestFrameworkOnASilentAgentOutlivesTheLeader(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"awaited": time.Hour, "unreachable": 200 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			r := start(t, true, func(o *Options) { o.Mind.AgentTimeout, o.Mind.RecoveryTimeout = timeout, timeout })
			n := newNursery(r)
			_, token := n.launch("svc")
			s := r.space("state", token)
			lead, err := s.Lead(bounded(t), "leader", "me", time.Second)
			if err != nil {
				t.Fatal(err)
			}
			op := jsonHeader("Authorization", "Bearer "+r.operatorToken())
			if timeout < time.Hour {
				r.await(func() bool {
					_, text := r.do("POST", "/api/v1", op, `{"type":"GET_AGENTS"}`)
					return strings.Contains(text, "unreachable_time")
				}, "the agent to be unreachable")
			}
			r.nextMind()
			// Longer than the lease, and than the keeper waits to look for tasks that have ended.
			began := time.Now()
			r.await(func() bool {
				select {
				case <-lead.Lost():
					t.Fatalf("the lease ended after %v", time.Since(began))
				default:
				}
				return time.Since(began) > 2*time.Second
			}, "two seconds")
			if kv, err := s.Get(bounded(t), "leader"); err != nil || kv.Lease != lead.Lease() {
				t.Errorf("%+v %v", kv, err)
			}
			if result := commit(t, s, store.Txn{If: []store.Compare{lead.Guard()}, Then: []store.Op{store.Put("k", nil)}}); !result.Held {
				t.Error("the guard does not hold")
			}
			stream := r.open("/api/v1/scheduler", jsonHeader("Authorization", "Bearer "+token), []byte(strings.Replace(subscribeBody(), `"name"`, `"principal":"svc","name"`, 1)))
			stream.nextOf(sdk.EventSubscribed)
			n.back()
			defer time.AfterFunc(10*time.Second, stream.close).Stop()
			select {
			case <-lead.Lost():
			case <-bounded(t).Done():
				t.Fatal("the lease goes on")
			}
			for err == nil {
				_, err = stream.records.Next()
			}
			if _, err := s.Get(bounded(t), "leader"); sdk.CodeOf(err) != sdk.CodeUnauthenticated {
				t.Errorf("after the agent's word: %v", err)
			}
		})
	}
}

// A token of an agent that is not known keeps the lease of its own task alive and nothing
// else; nobody says that the task has ended.
func TestTokenOfAnUnknownAgent(t *testing.T) {
	r := start(t, true)
	token := r.key.Sign(credential.Claims{Kind: credential.KindFramework, Principal: "svc", FrameworkID: "f", TaskID: "svc.1", AgentID: "S77"})
	op := r.space("state", r.operatorToken(), func(o *store.Options) { o.Principal, o.FrameworkID, o.TaskID = "svc", "f", "svc.1" })
	s := r.space("state", token, func(o *store.Options) { o.Patience = 200 * time.Millisecond })
	other, err := op.Grant(bounded(t), time.Hour) // without its agent, so it ends
	if err != nil {
		t.Fatal(err)
	}
	r.await(func() bool { return sdk.CodeOf(op.KeepAlive(bounded(t), other)) == sdk.CodeNotFound }, "the end of the lease")
	for _, c := range []struct {
		agent sdk.AgentID
		task  sdk.TaskID
		code  sdk.Code
	}{{"S77", "svc.1", ""}, {"S77", "svc.2", sdk.CodeUnavailable}} {
		granted, err := r.consensus.ProposeStore(bounded(t), kernelstore.Command{Type: kernelstore.CommandGrant, Space: kernelstore.Space{Principal: "svc", Name: "state"},
			Grant: &kernelstore.Grant{TTL: int64(time.Hour), FrameworkID: "f", TaskID: c.task, AgentID: c.agent}})
		if err != nil || granted.Granted == nil {
			t.Fatalf("%+v %v", granted, err)
		}
		if err := s.KeepAlive(bounded(t), granted.Granted.ID); (err != nil) != (c.code != "") || err != nil && sdk.CodeOf(err) != c.code {
			t.Errorf("%s: %v", c.task, err)
		}
	}
	if _, err := s.Get(bounded(t), "k"); sdk.CodeOf(err) != sdk.CodeUnavailable || !strings.Contains(err.Error(), "S77") {
		t.Errorf("a read: %v", err)
	}
}

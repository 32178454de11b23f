package master

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/consensus"
	"github.com/profferhq/proffer/kernel/membership"
	"github.com/profferhq/proffer/sdk"
)

func subscribeBody() string {
	return `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"nobody","name":"x","failover_timeout":60}}}`
}

// Three masters: followers send everybody to the leader and answer health
// themselves; when the leadership is lost, its streams end, and the next leader
// knows the frameworks.
func TestFollowersRedirectAndStreamsEndWithTheirLeader(t *testing.T) {
	all := three(t)
	first := all[0]
	var leader, other *running
	first.await(func() bool {
		leader, other = nil, nil
		for _, m := range all {
			if m.leader() != nil {
				leader = m
			} else {
				other = m
			}
		}
		if leader == nil || other == nil {
			return false
		}
		addr, _ := other.leaderHTTP()
		return addr == leader.Addr()
	}, "a leader that followers know")
	auth := jsonHeader("Authorization", "Bearer "+first.operatorToken())
	for path, want := range map[string]string{
		"/api/v1/scheduler?a=b":    "//" + leader.Addr() + "/master/api/v1/scheduler?a=b",
		"/master/api/v1/scheduler": "//" + leader.Addr() + "/master/api/v1/scheduler",
		"/api/v1/agent":            "",
		"/redirect":                "//" + leader.Addr(),
	} {
		method := "POST"
		if path == "/redirect" {
			method = "GET"
		}
		resp, text := other.do(method, path, auth, subscribeBody())
		if want == "" {
			if resp.StatusCode != 403 {
				t.Errorf("an operator on %s of a follower: %d", path, resp.StatusCode)
			}
			continue
		}
		if resp.StatusCode != 307 || resp.Header.Get("Location") != want || text != "" || resp.Header.Get("Content-Type") != "" {
			t.Errorf("%s: %d to %q, want %q", path, resp.StatusCode, resp.Header.Get("Location"), want)
		}
	}
	if resp, _ := other.do("GET", "/api/v1/scheduler", auth, ""); resp.StatusCode != 307 {
		t.Errorf("a follower looks at the method first: %d", resp.StatusCode)
	}
	for path, body := range map[string]string{"/api/v1": `{"type":"GET_HEALTH"}`, "/api/v1/store": `{"type":"LIST","space":"s","principal":"p","list":{"prefix":""}}`} {
		if resp, text := other.do("POST", path, auth, body); resp.StatusCode != 200 {
			t.Errorf("a follower carries %s to the leader: %d %q", path, resp.StatusCode, text)
		}
	}
	carried := jsonHeader("Authorization", auth.Get("Authorization"), headerHop, "1")
	if resp, text := other.do("POST", "/api/v1", carried, `{"type":"GET_HEALTH"}`); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || text != leaderChanges {
		t.Errorf("what was carried to one that leads no more: %d %q", resp.StatusCode, text)
	}
	for _, path := range []string{"/health", "/version", "/metrics"} {
		if resp, _ := other.do("GET", path, auth, ""); resp.StatusCode != 200 {
			t.Errorf("%s of a follower: %d", path, resp.StatusCode)
		}
	}
	s := leader.open("/api/v1/scheduler", auth.Clone(), []byte(subscribeBody()))
	id := s.next().Subscribed.FrameworkID
	if err := leader.consensus.Resign(t.Context()); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := s.records.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the stream broke instead of ending: %v", err)
		}
	}
	old := leader
	first.await(func() bool {
		for _, m := range all {
			if l := m.leader(); l != nil && m != old {
				leader = m
				return true
			}
		}
		return false
	}, "the next leader")
	again := strings.Replace(subscribeBody(), `{"user"`, `{"id":{"value":"`+string(id)+`"},"user"`, 1)
	again = strings.Replace(again, `"type"`, `"framework_id":{"value":"`+string(id)+`"},"type"`, 1)
	s = leader.open("/api/v1/scheduler", auth.Clone(), []byte(again))
	if ev := s.next(); ev.Type != sdk.EventSubscribed || ev.Subscribed.FrameworkID != id {
		t.Errorf("after the failover %+v", ev)
	}
}

// three are masters of one cluster; the first began it.
func three(t *testing.T) []*running {
	t.Helper()
	first := start(t, true, quick)
	all := []*running{first}
	for range 2 {
		m := follower(t, first)
		m.joins(all)
		all = append(all, m)
	}
	return all
}

// joins has a waiting master added by those that are there, and waits until it votes.
func (r *running) joins(all []*running) {
	r.t.Helper()
	r.await(func() bool {
		for _, m := range all {
			if m.leader() != nil && m.consensus.Invite(r.raftAddr()) == nil {
				voters, err := m.consensus.Voters(r.t.Context())
				return err == nil && slices.ContainsFunc(voters, func(v consensus.Voter) bool { return v.Name == r.name })
			}
		}
		return false
	}, "a vote")
}

func quick(o *Options) {
	o.LeaderWait = 0
	fast := 400 * time.Millisecond // a loaded machine must not depose a leader in the middle of a test
	o.Raft = consensus.Timing{Heartbeat: fast, Election: fast, Lease: fast, Commit: 10 * time.Millisecond}
}

// follower is a further master of the cluster of r, not yet a voter.
func follower(t *testing.T, r *running) *running {
	t.Helper()
	m := launch(t, true, func(o *Options) {
		quick(o)
		o.Bootstrap, o.KeyFile, o.Join = false, r.opts.KeyFile, []string{r.GossipAddr()}
	})
	if resp, text := m.do("POST", "/api/v1", jsonHeader("Authorization", "Bearer "+r.operatorToken()), "{}"); resp.StatusCode != 503 || text != "No leader elected" {
		t.Errorf("a master that is in no cluster yet: %d %q", resp.StatusCode, text)
	}
	for path, method := range map[string]string{"/api/v1": "POST", "/api/v1/scheduler": "POST", "/api/v1/store": "POST", "/redirect": "GET", "/service/web/": "GET"} {
		if resp, _ := m.do(method, path, jsonHeader("Authorization", "Bearer "+r.operatorToken()), "{}"); resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "1" {
			t.Errorf("%s without a leader: %d, Retry-After %q", path, resp.StatusCode, resp.Header.Get("Retry-After"))
		}
	}
	return m
}

func (r *running) raftAddr() string {
	for _, m := range r.gossip.Members() {
		if m.Name == r.name && m.Role == membership.RoleMaster {
			return m.Raft
		}
	}
	return ""
}

// A proposal of unknown fate ends that mind: streams and requests end, and the
// next term begins with a new one.
func TestFailedProposalEndsTheMind(t *testing.T) {
	r := start(t, false)
	l := r.leader()
	s := r.open("/api/v1/scheduler", jsonHeader(), []byte(subscribeBody()))
	s.next()
	l.inbox.put(item{in: cluster.Failed{ID: 1, Err: errors.New("planted")}})
	for {
		if _, err := s.records.Next(); err != nil {
			break
		}
	}
	r.await(func() bool { n := r.leader(); return n != nil && n != l && n.term.Number > l.term.Number }, "the next mind")
	if resp, _ := r.do("POST", "/api/v1", jsonHeader(), `{"type":"GET_HEALTH"}`); resp.StatusCode != 200 {
		t.Errorf("the next mind answers %d", resp.StatusCode)
	}
}

// A disk that failed ends the process, with the sentence that says why.
func TestFailedDiskEndsRun(t *testing.T) {
	m, err := New(LocalOptions(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { over <- m.Run(ctx) }()
	go m.die(errors.New("no space left on device")) // never returns, as the log must not
	if err := <-over; err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("Run gave %v", err)
	}
	cancel()
	_ = m.http.Close()
	_ = m.Close()
}

// A leader is one to its readers only when it can tell what the registry knows: who waited
// for it is not answered from nothing.
func TestANewLeaderAnswersWhatItKnows(t *testing.T) {
	r := start(t, false)
	r.registerAgent("host1", "cpus:1;mem:64")
	for range 5 {
		old := r.leader()
		old.inbox.put(item{in: cluster.Failed{ID: 1, Err: errors.New("planted")}})
		var next *leader
		for deadline := time.Now().Add(10 * time.Second); next == nil || next == old; next = r.leader() { // as hasty as can be
			if time.Now().After(deadline) {
				t.Fatal("nobody leads")
			}
			runtime.Gosched()
		}
		if state := next.view.state(); len(state.GetAgents.RecoveredAgents) != 1 {
			t.Fatalf("term %d began with %+v", next.term.Number, state.GetAgents)
		}
	}
}

// allocated is how many bytes this process has asked for so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// Hostile bodies in every encoding are answered with 400 or 413, cost no more
// memory than their own size, and change nothing (P21).
func TestHostileBodiesAreRefused(t *testing.T) {
	r := start(t, false)
	deep := strings.Repeat("[", 1<<20)
	for _, c := range []struct{ contentType, body string }{
		{"application/json", deep},
		{"application/json", strings.Repeat(`{"subscribe":`, 1<<16)},
		{"application/json", `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"\ud800"}}`},
		{"application/x-msgpack", "\xdd\xff\xff\xff\xff"},
		{"application/x-msgpack", "\xdf\xff\xff\xff\xff"},
		{"application/x-msgpack", strings.Repeat("\x91", 1<<20)},
		{"application/x-msgpack", "\x81\x02\xc6\xff\xff\xff\xff"},
		{"application/x-protobuf", "\x1a\xff\xff\xff\xff\x0f"},
		{"application/x-protobuf", strings.Repeat("\x1b", 1<<16)},
		{"application/x-protobuf", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
	} {
		for _, path := range []string{"/api/v1/scheduler", "/api/v1", "/api/v1/agent", "/api/v1/store"} {
			before := allocated()
			resp, text := r.do("POST", path, http.Header{"Content-Type": {c.contentType}}, c.body)
			if resp.StatusCode != 400 && resp.StatusCode != 413 || text == "" {
				t.Errorf("%s, %s %.20q: %d %.200q", path, c.contentType, c.body, resp.StatusCode, text)
			}
			// Counts and depths that a body only claims cost nothing. 1 MiB is for all else.
			if cost := allocated() - before; cost > 1<<20+4*uint64(len(c.body)) {
				t.Errorf("%s, %s: a body of %d bytes cost %d", path, c.contentType, len(c.body), cost)
			}
		}
	}
	if state := r.leader().view.state(); len(state.GetFrameworks.Frameworks)+len(state.GetAgents.Agents) != 0 {
		t.Errorf("something got in: %+v", state)
	}
}

// A reader that takes nothing is dropped; the loop and everybody else go on.
func TestSlowReaderIsDropped(t *testing.T) {
	r := start(t, false, func(o *Options) { o.MaxQueue = 100 })
	s := newStream(operatorStream, "slow", r.opts.MaxQueue)
	s.slow = time.Millisecond
	x := newExchange(1)
	l := r.leader()
	l.inbox.put(item{asks: x, opens: s, beat: time.Second}) // nobody ever takes from s
	<-x.done
	fast := r.open("/api/v1/scheduler", jsonHeader(), []byte(subscribeBody()))
	fast.next()
	for range 60 { // each adds and removes a framework: two events for operators
		f := r.open("/api/v1/scheduler", jsonHeader(), []byte(strings.Replace(subscribeBody(), `,"failover_timeout":60`, "", 1)))
		f.next()
		f.close()
	}
	r.await(func() bool { return s.why() != "" }, "the slow stream's end")
	if why := s.why(); !strings.Contains(why, "too slow") {
		t.Errorf("it ended because %q", why)
	}
	if resp, _ := r.do("POST", "/api/v1", jsonHeader(), `{"type":"GET_STATE"}`); resp.StatusCode != 200 {
		t.Errorf("GET_STATE: %d", resp.StatusCode)
	}
}

// P21: bodies without end, and requests without end, end.
func TestBodiesAndRequestsAreBounded(t *testing.T) {
	r := start(t, false, func(o *Options) { o.MaxBody, o.MaxBatch, o.ReadTimeout = 1000, 3, 200*time.Millisecond })
	if resp, text := r.do("POST", "/api/v1", jsonHeader(), `{"type":"`+strings.Repeat("x", 2000)+`"}`); resp.StatusCode != 413 || !strings.Contains(text, "1000 bytes") {
		t.Errorf("a large body: %d %q", resp.StatusCode, text)
	}
	four := strings.Repeat("21\n"+`{"type":"GET_HEALTH"}`, 4)
	h := jsonHeader("Message-Content-Type", "application/json")
	h.Set("Content-Type", "application/recordio")
	if resp, text := r.do("POST", "/api/v1/scheduler", h, four); resp.StatusCode != 413 {
		t.Errorf("a long sequence: %d %q", resp.StatusCode, text)
	}
	in, _ := io.Pipe() // never says anything
	req, err := http.NewRequest("POST", "http://"+r.Addr()+"/api/v1", in)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = jsonHeader()
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err == nil {
		defer resp.Body.Close()
		if resp.StatusCode != 400 {
			t.Errorf("a body that never comes: %d", resp.StatusCode)
		}
	} else if strings.Contains(err.Error(), "Client.Timeout") {
		t.Errorf("a body that never comes is waited for: %v", err)
	}
}

func TestOptionsListEverythingThatIsWrong(t *testing.T) {
	o := DefaultOptions()
	o.Bind, o.Port, o.RaftPort, o.GossipPort, o.Cluster, o.Join, o.AllowUsers = "nowhere", 70000, 5, 5, "two words", []string{"x"}, []string{"root"}
	err := o.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, flag := range []string{"--bind", "--port", "--gossip-port", "--cluster", "--join", "--allow-user", "--dir", "--key"} {
		if !strings.Contains(err.Error(), flag) {
			t.Errorf("%s is not in %v", flag, err)
		}
	}
	o = LocalOptions(t.TempDir())
	o.Mind.OfferTimeout, o.Mind.AgentTimeout, o.Mind.RecoveryTimeout = 0, -time.Second, 0
	err = o.Validate()
	for _, want := range []string{"--offer-timeout 0s:", "--agent-timeout -1s:", "--recovery-timeout 0s:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in %v", want, err)
		}
	}
	if got := (Options{AllowUsers: []string{"a:root", "*:nobody", "a:www", "b:c:web"}}).allowedUsers(); len(got["a"]) != 2 || len(got[""]) != 1 || len(got["b:c"]) != 1 {
		t.Errorf("%v", got)
	}
}

// A master that ends leaves no goroutine behind.
func TestEndsWithoutLeavingGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("run", func(t *testing.T) {
		r := start(t, true)
		r.registerAgent("h", "cpus:1;mem:64")
		r.open("/api/v1/scheduler", jsonHeader("Authorization", "Bearer "+r.operatorToken()), []byte(subscribeBody())).next()
	})
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	r := &running{t: t}
	r.await(func() bool { return runtime.NumGoroutine() <= before+3 }, "the goroutines' end")
}

package master

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	kernelstore "github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/store"
	"github.com/profferhq/proffer/sdk/wire"
)

// space opens a space of this master with a token.
func (r *running) space(name, token string, change ...func(*store.Options)) *store.Space {
	r.t.Helper()
	o := store.Options{Addrs: []string{r.Addr()}, Token: token, Space: name, Patience: 5 * time.Second}
	for _, c := range change {
		c(&o)
	}
	s, err := store.Open(o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(s.Close)
	return s
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// commit does a transaction that must be taken.
func commit(t *testing.T, s *store.Space, txn store.Txn) store.Result {
	t.Helper()
	result, err := s.Commit(bounded(t), txn)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func put(t *testing.T, s *store.Space, key, value string) store.Result {
	t.Helper()
	return commit(t, s, store.Txn{Then: []store.Op{store.Put(key, []byte(value))}})
}

// The whole store over HTTP, in each encoding: a transaction of each kind of
// compare and operation, get, list, watch.
func TestStoreAnswersEveryCall(t *testing.T) {
	r := start(t, false)
	for _, e := range []wire.Encoding{wire.JSON, wire.Msgpack, wire.Protobuf} {
		t.Run(e.String(), func(t *testing.T) {
			ctx := bounded(t)
			s := r.space("all-"+e.String(), "", func(o *store.Options) { o.Encoding = e })
			first := put(t, s, "a", "1")
			if !first.Held || first.Revision == 0 {
				t.Fatalf("%+v", first)
			}
			kv, err := s.Get(ctx, "a")
			if err != nil || string(kv.Value) != "1" || kv.Created != first.Revision || kv.Modified != first.Revision || kv.Version != 1 {
				t.Fatalf("%+v %v", kv, err)
			}
			if _, err := s.Get(ctx, "b"); sdk.CodeOf(err) != sdk.CodeNotFound {
				t.Fatalf("an absent key: %v", err)
			}
			lease, err := s.Grant(ctx, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			all := store.Txn{
				If: []store.Compare{store.Absent("b"), store.Exists("a"), store.Unchanged("a", kv.Modified), store.ValueIs("a", []byte("1"))},
				Then: []store.Op{store.Put("b", nil), store.PutHeld("x/1", []byte("v"), lease), store.Put("x/2", []byte("v")),
					store.Delete("a"), store.DeletePrefix("x/2")},
				Else: []store.Op{store.Put("else", []byte("done"))},
			}
			second := commit(t, s, all)
			if !second.Held || second.Revision <= first.Revision {
				t.Fatalf("%+v", second)
			}
			if third := commit(t, s, all); third.Held {
				t.Fatal("held again")
			}
			if held := commit(t, s, store.Txn{If: []store.Compare{store.HeldBy("x/1", lease)}}); !held.Held {
				t.Fatal("HELD_BY does not hold")
			}
			kvs, revision, err := s.List(ctx, "")
			if err != nil || fmt.Sprint(keys(kvs)) != "[b else x/1]" || revision < second.Revision || kvs[2].Lease != lease {
				t.Fatalf("%v %d %v", keys(kvs), revision, err)
			}
			if err := s.KeepAlive(ctx, lease); err != nil {
				t.Fatal(err)
			}
			if err := s.Revoke(ctx, lease); err != nil {
				t.Fatal(err)
			}
			if err := s.KeepAlive(ctx, lease); sdk.CodeOf(err) != sdk.CodeNotFound {
				t.Fatalf("an ended lease: %v", err)
			}
			var seen []string
			for event, err := range s.Watch(ctx, "x/", first.Revision) {
				if err != nil {
					t.Fatal(err)
				}
				seen = append(seen, fmt.Sprintf("%s %v", event.KV.Key, event.Deleted))
				if event.Deleted {
					break
				}
			}
			if fmt.Sprint(seen) != "[x/1 false x/1 true]" {
				t.Errorf("watched %v", seen)
			}
		})
	}
}

func keys(kvs []store.KV) (out []string) {
	for _, kv := range kvs {
		out = append(out, kv.Key)
	}
	return out
}

// A client in another language has JSON and nothing else.
func TestStoreInPlainJSON(t *testing.T) {
	r := start(t, false)
	call := func(body string) (int, map[string]any) {
		t.Helper()
		resp, text := r.do(http.MethodPost, "/api/v1/store", jsonHeader(), body)
		var answer map[string]any
		if resp.StatusCode == 200 {
			if err := json.Unmarshal([]byte(text), &answer); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		} else {
			answer = map[string]any{"text": text}
		}
		return resp.StatusCode, answer
	}
	status, answer := call(`{"type":"COMMIT","space":"state","commit":{"if":[{"type":"ABSENT","key":"a"}],"then":[{"type":"PUT","key":"a","value":"eA=="}]}}`)
	if status != 200 || answer["held"] != true || answer["revision"].(float64) < 1 {
		t.Fatalf("%d %v", status, answer)
	}
	if status, answer = call(`{"type":"GET","space":"state","get":{"key":"a"}}`); status != 200 || fmt.Sprint(answer["kvs"].([]any)[0].(map[string]any)["value"]) != "eA==" {
		t.Fatalf("%d %v", status, answer)
	}
	for body, want := range map[string]struct {
		status int
		text   string
	}{
		`{"type":"GET","space":"state","get":{"key":"b"}}`:       {404, "get.key: there is no key"},
		`{"type":"GET","space":"","get":{"key":"b"}}`:            {400, "space: must not be empty"},
		`{"type":"GET","space":"state"}`:                         {400, "what it asks for is missing"},
		`{"type":"GET","space":"state","get":{"key":"a\u0001"}}`: {400, "control character"},
		`{"type":"NONSENSE","space":"state"}`:                    {400, "type"},
		`{"space":"state"}`:                                      {400, "type"},
		`{"type":"COMMIT","space":"state","commit":{"then":[{"type":"PUT","key":"x"},{"type":"PUT","key":""}]}}`: {400, "commit.then[1].key: must not be empty"},
		`{"type":"COMMIT","space":"state","commit":{"then":[{"type":"PUT","key":"x","lease":"1"}]}}`:             {404, `commit.then[0].lease: the lease "1" has ended`},
		`{"type":"GRANT","space":"state","grant":{"ttl_seconds":0.01}}`:                                          {400, "grant.ttl_seconds"},
		`{"type":"KEEP_ALIVE","space":"state","keep_alive":{"lease":"77"}}`:                                      {404, "keep_alive.lease"},
		`{"type":"WATCH","space":"state","watch":{"after":99999}}`:                                               {410, "compacted"},
	} {
		if status, answer := call(body); status != want.status || !strings.Contains(fmt.Sprint(answer["text"]), want.text) {
			t.Errorf("%s: %d %v", body, status, answer)
		}
	}
}

// A lease that nobody keeps alive ends; while it is kept alive it does not.
func TestLeaseExpiresWithoutKeepAlive(t *testing.T) {
	r := start(t, false)
	ctx := bounded(t)
	s := r.space("state", "")
	lease, err := s.Grant(ctx, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	at := commit(t, s, store.Txn{Then: []store.Op{store.PutHeld("k", []byte("v"), lease)}}).Revision
	began := time.Now()
	for range 5 {
		select {
		case <-time.After(100 * time.Millisecond): // a third of its time
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		}
		if err := s.KeepAlive(ctx, lease); err != nil {
			t.Fatal(err)
		}
	}
	for event, err := range s.Watch(ctx, "", at) {
		if err != nil || !event.Deleted {
			t.Fatalf("%+v %v", event, err)
		}
		break
	}
	if took := time.Since(began); took < 700*time.Millisecond {
		t.Errorf("it ended after %v, while it was kept alive", took)
	}
}

// The principal of the token decides the space; only operators may name another.
func TestSpacesAreClosedToOtherPrincipals(t *testing.T) {
	r := start(t, true)
	n := newNursery(r)
	_, token := n.launch("alice")
	alice := r.space("state", token)
	put(t, alice, "k", "of alice")
	_, token = n.launch("bob")
	bob := r.space("state", token)
	if _, err := bob.Get(bounded(t), "k"); sdk.CodeOf(err) != sdk.CodeNotFound {
		t.Errorf("bob's own space: %v", err)
	}
	spy := r.space("state", token, func(o *store.Options) { o.Principal = "alice" })
	if _, err := spy.Get(bounded(t), "k"); sdk.CodeOf(err) != sdk.CodeDenied {
		t.Errorf("bob in the space of alice: %v", err)
	}
	operator := r.space("state", r.operatorToken(), func(o *store.Options) { o.Principal = "alice" })
	if kv, err := operator.Get(bounded(t), "k"); err != nil || string(kv.Value) != "of alice" {
		t.Errorf("an operator: %v %v", kv, err)
	}
	agent := r.space("state", r.key.Sign(credential.Claims{Kind: credential.KindAgent}))
	if _, err := agent.Get(bounded(t), "k"); sdk.CodeOf(err) != sdk.CodeDenied {
		t.Errorf("an agent: %v", err)
	}
	nobody := r.space("state", "")
	if _, err := nobody.Get(bounded(t), "k"); sdk.CodeOf(err) != sdk.CodeUnauthenticated {
		t.Errorf("nobody: %v", err)
	}
}

// P1: what was answered as stored is there after the master's restart, and a lease
// has its whole time again.
func TestStoreSurvivesARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "m")
	var lease string
	session(t, dir, func(r *running) {
		s := r.space("state", "")
		put(t, s, "k", "kept")
		var err error
		if lease, err = s.Grant(bounded(t), time.Second); err != nil {
			t.Fatal(err)
		}
		commit(t, s, store.Txn{Then: []store.Op{store.PutHeld("held", nil, lease)}})
		if err := r.consensus.Snapshot(bounded(t)); err != nil {
			t.Fatal(err)
		}
		put(t, s, "k2", "kept too")
	})
	session(t, dir, func(r *running) {
		s := r.space("state", "")
		kvs, revision, err := s.List(bounded(t), "")
		if err != nil || fmt.Sprint(keys(kvs)) != "[held k k2]" || string(kvs[1].Value) != "kept" {
			t.Fatalf("%v %v", kvs, err)
		}
		for event, err := range s.Watch(bounded(t), "", revision) {
			if err != nil || event.KV.Key != "held" || !event.Deleted {
				t.Errorf("%+v %v", event, err)
			}
			break
		}
	})
}

// While nothing that is written is confirmed, a call of the store is answered all the same,
// as one of which nobody knows; later it turns out to have been done.
func TestAWriteIsAnsweredWhileTheLogStandsStill(t *testing.T) {
	r := start(t, false, func(o *Options) { o.StoreTimeout = 500 * time.Millisecond })
	s := r.space("still", "")
	put(t, s, "before", "")
	stands, gate, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	goOn := sync.OnceFunc(func() { close(gate); <-over })
	go func() {
		defer close(over)
		r.consensus.ViewStore(func(*kernelstore.State) { close(stands); <-gate }) // nothing is applied meanwhile
	}()
	<-stands
	defer goOn()
	resp, text := r.do("POST", "/api/v1/store", jsonHeader(), `{"type":"COMMIT","space":"still","commit":{"then":[{"type":"PUT","key":"k"}]}}`)
	if resp.StatusCode != sdk.CodeUnknown.HTTPStatus() || !strings.Contains(text, "may still be done") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	goOn()
	if _, err := s.Get(bounded(t), "k"); err != nil {
		t.Errorf("what was on its way: %v", err)
	}
}

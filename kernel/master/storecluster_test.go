package master

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/store"
)

// P1 with three masters and a client that knows followers too: while the leader
// resigns again and again, what was answered as written is there, a watch misses
// and repeats nothing, and a leadership is kept.
func TestStoreOverChangesOfLeaders(t *testing.T) {
	all := three(t)
	first := all[0]
	var addrs []string
	for _, m := range all {
		addrs = append(addrs, m.Addr())
	}
	s := first.space("state", first.operatorToken(), func(o *store.Options) { o.Addrs, o.Principal = addrs[1:], "svc" })
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	lead, err := s.Lead(ctx, "leader", "", 3*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	const writes = 30
	written := make(chan map[string]bool, 1)
	go func() { // each key is put once, and counted when it is known that it was
		done := map[string]bool{}
		for i := 0; len(done) < writes && ctx.Err() == nil; i++ {
			key := fmt.Sprint("k/", i)
			result, err := s.Commit(ctx, store.Txn{If: []store.Compare{lead.Guard(), store.Absent(key)}, Then: []store.Op{store.Put(key, nil)}})
			switch {
			case err == nil && result.Held:
				done[key] = true
			case err == nil:
				t.Errorf("%s: the guard does not hold", key)
			case sdk.CodeOf(err) != sdk.CodeUnknown && sdk.CodeOf(err) != sdk.CodeUnavailable:
				t.Error(err)
			}
			if i%10 == 5 {
				resignLeader(ctx, t, all)
			}
		}
		written <- done
		for ctx.Err() == nil {
			if _, err := s.Commit(ctx, store.Txn{If: []store.Compare{store.Absent("k/end")}, Then: []store.Op{store.Put("k/end", nil)}}); err == nil {
				return
			}
		}
	}()
	seen := map[string]bool{}
	last := uint64(0)
	for event, err := range s.Watch(ctx, "k/", 0) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[event.KV.Key] || event.Revision <= last {
			t.Errorf("%s at %d is told twice, or late", event.KV.Key, event.Revision)
		}
		seen[event.KV.Key], last = true, event.Revision
		if event.KV.Key == "k/end" {
			break
		}
	}
	done := <-written
	kvs, _, err := s.List(ctx, "k/")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, kv := range kvs {
		have[kv.Key] = true
	}
	for key := range done {
		if !have[key] || !seen[key] {
			t.Errorf("%s was answered as written; it is there: %v, it was watched: %v", key, have[key], seen[key])
		}
	}
	select {
	case <-lead.Lost():
		t.Error("the leadership was lost with the leaders of the masters")
	default:
	}
	if err := lead.Resign(ctx); err != nil {
		t.Error(err)
	}
}

func resignLeader(ctx context.Context, t *testing.T, all []*running) {
	for _, m := range all {
		if m.leader() != nil {
			if err := m.consensus.Resign(ctx); err != nil {
				t.Log("resign:", err)
			}
			return
		}
	}
}

// A watch whose reader takes nothing ends instead of growing.
func TestSlowWatchIsDropped(t *testing.T) {
	r := start(t, false)
	k := r.keeps.Load()
	one := &watch{stream: newStream(storeStream, "slow", 1<<20)}
	one.most = maxWatchQueue
	one.space.Name = "state"
	if err := k.watch(one, nil, 0); err != nil {
		t.Fatal(err)
	}
	s := r.space("state", "")
	value := bytes.Repeat([]byte("x"), 500<<10)
	for i := range maxWatchQueue/len(value) + 2 {
		commit(t, s, store.Txn{Then: []store.Op{store.Put(fmt.Sprint("k", i%3), value)}})
	}
	one.mu.Lock()
	ended, queued := one.ended, len(one.queue)
	one.mu.Unlock()
	if !ended || queued != 0 {
		t.Errorf("ended %v with %d events queued", ended, queued)
	}
	k.unwatch(one)
	if k.watching() != 0 {
		t.Error("it is not forgotten")
	}
}

// Over a limit is 429 with size and limit; deletes go on; the numbers are on /metrics.
func TestFullSpaceRefusesAndSaysSo(t *testing.T) {
	r := start(t, false, func(o *Options) { o.StoreLimit = 1 << 20 })
	s := r.space("state", "")
	value := bytes.Repeat([]byte("x"), 512<<10)
	put(t, s, "a", string(value))
	_, err := s.Commit(bounded(t), store.Txn{Then: []store.Op{store.Put("b", value)}})
	if sdk.CodeOf(err) != sdk.CodeExhausted || !strings.Contains(err.Error(), "1048706, the limit is 1048576") {
		t.Errorf("over the limit: %v", err)
	}
	commit(t, s, store.Txn{Then: []store.Op{store.Delete("a")}})
	commit(t, s, store.Txn{Then: []store.Op{store.Put("b", value)}})
	if _, err := s.Commit(bounded(t), store.Txn{Then: []store.Op{store.Put("big", append(value, 'x'))}}); sdk.CodeOf(err) != sdk.CodeExhausted {
		t.Errorf("a large value: %v", err)
	}
	if _, err := s.Get(bounded(t), "absent"); err == nil {
		t.Error("absent is there")
	}
	_, text := r.do(http.MethodGet, "/metrics", nil, "")
	for _, want := range []string{
		`proffer_master_store_calls_total{code="ok",type="COMMIT"} 3`, `proffer_master_store_calls_total{code="exhausted",type="COMMIT"} 2`,
		`proffer_master_store_calls_total{code="not_found",type="GET"} 1`, "proffer_master_store_keys 1", "proffer_master_store_spaces 1",
		"proffer_master_store_bytes 524353", "proffer_master_store_leases 0",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

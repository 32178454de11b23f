package consensus

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

func stateSpace() store.Space { return store.Space{Principal: "p", Name: "state"} }

func putCommand(key, value string) store.Command {
	return store.Command{Type: store.CommandCommit, Space: stateSpace(), Commit: &sdk.StoreCommit{
		Then: []sdk.StoreOp{{Type: sdk.StorePut, Key: key, Value: []byte(value)}}}}
}

// withStore lets a node's cluster know that its master has a store.
func withStore(t *testing.T, n *Node) {
	t.Helper()
	if _, err := n.ProposeStore(bounded(t), putCommand("early", "")); sdk.CodeOf(err) != sdk.CodeUnavailable {
		t.Errorf("a store that not every master knows: %v", err)
	}
	r, err := n.Propose(bounded(t), registry.Command{Type: registry.CommandMember, Member: &registry.Member{Name: "m1", Command: 1, Store: store.CommandVersion}})
	if err != nil || r.Err != nil {
		t.Fatal(err, r.Err)
	}
}

func valueOf(n *Node, key string) (value string) {
	n.ViewStore(func(s *store.State) {
		kv, _ := s.Get(stateSpace(), key)
		value = string(kv.Value)
	})
	return value
}

// P1, P23: commands of registry and store, written at once by many, are there
// after a restart from disk, with and without a snapshot; writers share fsyncs.
func TestRegistryAndStoreShareOneLog(t *testing.T) {
	dir := t.TempDir()
	o := testOptions(t, "m1", dir)
	o.Bootstrap = true
	var observed []uint64
	o.Observe = func(_ *store.Command, r store.Result) { observed = append(observed, r.Index) }
	n := startNode(t, o)
	awaitTerm(t, n)
	withStore(t, n)
	ctx := bounded(t)
	var wait sync.WaitGroup
	for w := range 16 {
		wait.Go(func() {
			for i := range 10 {
				r, err := n.ProposeStore(ctx, putCommand(fmt.Sprintf("k%d-%d", w, i), "v"))
				if err != nil || r.Err != nil || r.Index == 0 {
					t.Error(err, r.Err)
				}
				if w == 0 {
					if r, err := n.Propose(ctx, weight(fmt.Sprint("role", i), 2)); err != nil || r.Err != nil {
						t.Error(err, r.Err)
					}
				}
			}
		})
	}
	wait.Wait()
	if len(observed) != 160 {
		t.Errorf("%d results were observed", len(observed))
	}
	for i := 1; i < len(observed); i++ {
		if observed[i] <= observed[i-1] {
			t.Errorf("revision %d was observed after %d", observed[i], observed[i-1])
		}
	}
	if err := n.Snapshot(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := n.ProposeStore(ctx, putCommand("late", "v")); err != nil {
		t.Fatal(err)
	}
	r, err := n.ProposeStore(ctx, putCommand("", "v"))
	if err != nil || r.Err == nil || r.Err.Field != "commit.then[0].key" {
		t.Errorf("a refusal: %+v %v", r, err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.ProposeStore(ctx, putCommand("k", "v")); sdk.CodeOf(err) != sdk.CodeUnavailable {
		t.Errorf("after the end: %v", err)
	}
	n = startNode(t, testOptions(t, "m1", dir))
	awaitTerm(t, n)
	if err := n.Barrier(ctx); err != nil {
		t.Fatal(err)
	}
	if valueOf(n, "k15-9") != "v" || valueOf(n, "late") != "v" || weightOf(n, "role9") != 2 {
		t.Error("forgot what it had answered as stored")
	}
}

// A snapshot from before the store holds the registry alone and is read; a newer
// layout, or one that was cut off, is refused.
func TestSnapshotsOfAllAges(t *testing.T) {
	reg := registry.New()
	reg.Apply(1, weight("a", 7))
	st := store.New()
	cmd := putCommand("k", "v")
	cmd.Version = store.CommandVersion
	st.Apply(2, cmd)
	old, err := reg.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	read := func(data []byte) (*registry.State, *store.State, error) {
		return readSnapshot(bufio.NewReader(bytes.NewReader(data)))
	}
	if r, s, err := read(old); err != nil || r.Weight("a") != 7 || s.Index() != 0 {
		t.Errorf("one from before the store: %v", err)
	}
	var b bytes.Buffer
	if err := (image{reg, st.Image()}).write(&b); err != nil {
		t.Fatal(err)
	}
	r, s, err := read(b.Bytes())
	if err != nil || r.Weight("a") != 7 || s.Index() != 2 {
		t.Errorf("today's: %v", err)
	}
	for n := range b.Len() {
		if _, _, err := read(b.Bytes()[:n]); err == nil {
			t.Errorf("cut off after %d of %d bytes, and taken", n, b.Len())
		}
	}
	newer := bytes.Clone(b.Bytes())
	newer[1]++
	if _, _, err := read(newer); err == nil || !strings.Contains(err.Error(), "upgrade") {
		t.Errorf("a newer one: %v", err)
	}
}

// An entry of a kind that this master does not know is refused by name.
func TestUnknownEntriesAreRefused(t *testing.T) {
	var said error
	f := newFSM(Options{Fatal: func(err error) { said = err }})
	if _, err := f.apply(1, []byte{notRegistry, 'Z', 1}); err == nil || !strings.Contains(err.Error(), "upgrade") {
		t.Errorf("got %v", err)
	}
	if said != nil {
		t.Error("only Apply ends the process")
	}
}

// A proposal whose context ends while it waits was certainly not done; one that is
// on its way may have been.
func TestWithdrawnWritesAreCertain(t *testing.T) {
	w := newWrites()
	first, second := &write{data: make([]byte, 10)}, &write{data: make([]byte, 20)}
	for _, one := range []*write{first, second} {
		if err := w.put(one); err != nil {
			t.Fatal(err)
		}
	}
	if !w.withdraw(second) || w.withdraw(second) || w.bytes != 10 {
		t.Errorf("withdrawn: %d bytes are left", w.bytes)
	}
	if group := w.group(); len(group) != 1 || w.withdraw(first) {
		t.Error("one on its way can be withdrawn")
	}
	big := make([]byte, groupBytes/2+1)
	for range 3 {
		if err := w.put(&write{data: big}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.group()); n != 1 {
		t.Errorf("a group of %d large writes", n)
	}
	if err := w.put(&write{data: make([]byte, waitingBytes)}); sdk.CodeOf(err) != sdk.CodeUnavailable {
		t.Errorf("too much waits: %v", err)
	}
	w.close()
	if err := w.put(first); err == nil {
		t.Error("put after the end")
	}
}

// BenchmarkWrites is perf-14's floor: four writers, one voter, each write durable.
func BenchmarkWrites(b *testing.B) {
	t := &testing.T{}
	o := testOptions(t, "m1", b.TempDir())
	o.Log, o.Bootstrap = slog.New(slog.DiscardHandler), true
	n, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = n.Close() }()
	<-n.Leading()
	if _, err := n.Propose(b.Context(), registry.Command{Type: registry.CommandMember, Member: &registry.Member{Name: "m1", Command: 1, Store: 1}}); err != nil {
		b.Fatal(err)
	}
	value := strings.Repeat("v", 512)
	b.SetParallelism(2) // times GOMAXPROCS, which is 2 on the machine of the goals
	began := time.Now()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r, err := n.ProposeStore(b.Context(), putCommand("k", value)); err != nil || r.Err != nil {
				b.Error(err, r.Err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "writes/s")
}

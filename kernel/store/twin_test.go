package store

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
)

// twin is the store as its documentation reads: a map of values for each space,
// copied whole for each transaction, and a history that forgets nothing.
type twin struct {
	spaces  map[Space]map[string]sdk.StoreKV
	leases  map[Space]map[string]bool
	history map[Space][]Changes
}

func newTwin() *twin {
	return &twin{map[Space]map[string]sdk.StoreKV{}, map[Space]map[string]bool{}, map[Space][]Changes{}}
}

// apply gives what the store must answer: refused, held.
func (w *twin) apply(index uint64, c Command) (refused, held bool) {
	before := w.spaces[c.Space]
	after := maps.Clone(before)
	if after == nil {
		after = map[string]sdk.StoreKV{}
	}
	if w.leases[c.Space] == nil {
		w.leases[c.Space] = map[string]bool{}
	}
	switch c.Type {
	case CommandGrant:
		w.leases[c.Space][fmt.Sprint(index)] = true
		return false, false
	case CommandRevoke:
		if !w.leases[c.Space][c.Revoke.Lease] {
			return true, false
		}
		delete(w.leases[c.Space], c.Revoke.Lease)
		maps.DeleteFunc(after, func(_ string, kv sdk.StoreKV) bool { return kv.Lease == c.Revoke.Lease })
	case CommandCommit:
		held = w.holds(before, c.Commit.If)
		ops := c.Commit.Then
		if !held {
			ops = c.Commit.Else
		}
		for _, op := range ops {
			switch op.Type {
			case sdk.StorePut:
				if op.Lease != "" && !w.leases[c.Space][op.Lease] {
					return true, false
				}
				kv := sdk.StoreKV{Key: op.Key, Value: op.Value, Created: index, Modified: index, Version: 1, Lease: op.Lease}
				if old, ok := after[op.Key]; ok {
					kv.Created, kv.Version = old.Created, old.Version+1
				}
				after[op.Key] = kv
			case sdk.StoreDelete:
				delete(after, op.Key)
			case sdk.StoreDeletePrefix:
				maps.DeleteFunc(after, func(k string, _ sdk.StoreKV) bool { return strings.HasPrefix(k, op.Key) })
			}
		}
		if n := bytesOf(after); n > c.Limit && n > bytesOf(before) {
			return true, false
		}
	}
	w.spaces[c.Space] = after
	w.history[c.Space] = append(w.history[c.Space], Changes{Space: c.Space, Revision: index, List: difference(index, before, after)})
	return false, held
}

func (w *twin) holds(kvs map[string]sdk.StoreKV, compares []sdk.StoreCompare) bool {
	for _, c := range compares {
		kv, ok := kvs[c.Key]
		var holds bool
		switch c.Type {
		case sdk.StoreAbsent:
			holds = !ok
		case sdk.StoreExists:
			holds = ok
		case sdk.StoreUnchanged:
			holds = ok && kv.Modified == c.Modified
		case sdk.StoreValueIs:
			holds = ok && string(kv.Value) == string(c.Value)
		case sdk.StoreHeldBy:
			holds = ok && kv.Lease == c.Lease && c.Lease != ""
		}
		if !holds {
			return false
		}
	}
	return true
}

func bytesOf(kvs map[string]sdk.StoreKV) (n uint64) {
	for _, kv := range kvs {
		n += uint64(len(kv.Key)+len(kv.Value)) + KeyOverhead
	}
	return n
}

// difference is what changed, by key.
func difference(index uint64, before, after map[string]sdk.StoreKV) []sdk.StoreChange {
	var out []sdk.StoreChange
	keys := map[string]bool{}
	for k := range before {
		keys[k] = true
	}
	for k := range after {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		kv, ok := after[k]
		switch {
		case !ok:
			out = append(out, sdk.StoreChange{Deleted: true, KV: sdk.StoreKV{Key: k, Modified: index}})
		case kv.Modified == index:
			out = append(out, sdk.StoreChange{KV: kv})
		}
	}
	return out
}

func sortedChanges(c Changes) string {
	list := slices.SortedFunc(slices.Values(c.List), func(a, b sdk.StoreChange) int { return strings.Compare(a.KV.Key, b.KV.Key) })
	return fmt.Sprintf("%d %v", c.Revision, list)
}

// drawCommand makes a command over few keys, values and leases, so that they meet.
func drawCommand(t *rapid.T, index uint64) Command {
	key := rapid.SampledFrom([]string{"a", "a/1", "a/2", "b", "b/1"})
	value := rapid.SampledFrom([][]byte{nil, []byte("x"), bytes.Repeat([]byte("y"), 100)})
	recent := func() string { return fmt.Sprint(index - min(index-1, uint64(rapid.IntRange(0, 12).Draw(t, "ago")))) }
	c := Command{Version: CommandVersion, Limit: rapid.SampledFrom([]uint64{300, 1 << 20}).Draw(t, "limit"),
		Space: Space{Principal: "p", Name: rapid.SampledFrom([]string{"one", "two"}).Draw(t, "space")}}
	ops := func(label string) (out []sdk.StoreOp) {
		for range rapid.IntRange(0, 4).Draw(t, label) {
			op := sdk.StoreOp{Type: rapid.SampledFrom([]sdk.StoreOpType{sdk.StorePut, sdk.StorePut, sdk.StorePut, sdk.StoreDelete, sdk.StoreDeletePrefix}).Draw(t, "op"), Key: key.Draw(t, "key")}
			if op.Type == sdk.StorePut {
				op.Value = value.Draw(t, "value")
				if rapid.IntRange(0, 3).Draw(t, "held") == 0 {
					op.Lease = recent()
				}
			}
			out = append(out, op)
		}
		return out
	}
	switch rapid.IntRange(0, 7).Draw(t, "type") {
	case 0:
		c.Type, c.Grant = CommandGrant, &Grant{TTL: int64(time.Second)}
	case 1:
		c.Type, c.Revoke = CommandRevoke, &Revoke{Lease: recent()}
	default:
		c.Type, c.Commit = CommandCommit, &sdk.StoreCommit{Then: ops("then"), Else: ops("else")}
		for range rapid.IntRange(0, 2).Draw(t, "if") {
			cmp := sdk.StoreCompare{Type: rapid.SampledFrom([]sdk.StoreCompareType{sdk.StoreAbsent, sdk.StoreExists, sdk.StoreUnchanged, sdk.StoreValueIs, sdk.StoreHeldBy}).Draw(t, "compare"),
				Key: key.Draw(t, "key"), Value: value.Draw(t, "value"), Lease: recent()}
			cmp.Modified = index - min(index-1, uint64(rapid.IntRange(0, 8).Draw(t, "ago")))
			c.Commit.If = append(c.Commit.If, cmp)
		}
	}
	return c
}

// P23: the store does what its twin does, over any sequence of commands; a
// snapshot and restore at any moment, a copy of the image that is written while
// the state goes on, and the codec change nothing.
func TestStoreIsLikeItsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := New(), newTwin()
		var early *Image
		var earlyBytes []byte
		for i := range rapid.IntRange(1, 60).Draw(t, "commands") {
			index := uint64(i + 1)
			c := drawCommand(t, index)
			data, err := EncodeCommand(nil, c)
			if err != nil {
				t.Fatal(err)
			}
			if c, err = DecodeCommand(data); err != nil {
				t.Fatal(err)
			}
			r := s.Apply(index, c)
			refused, held := w.apply(index, c)
			if (r.Err != nil) != refused || r.Held != held {
				t.Fatalf("%d %+v: %+v, its twin refused=%v held=%v", index, c, r, refused, held)
			}
			if past := w.history[c.Space]; !refused && c.Type != CommandGrant && sortedChanges(r.Changes) != sortedChanges(past[len(past)-1]) {
				t.Fatalf("%d: changed %v, its twin %v", index, r.Changes, past[len(past)-1])
			}
			switch rapid.IntRange(0, 9).Draw(t, "then") {
			case 0:
				s = reload(t, s)
			case 1:
				early, earlyBytes = s.Image(), image(t, s)
			}
			compareAll(t, s, w, index)
		}
		if early != nil {
			var late bytes.Buffer
			if err := early.Write(&late); err != nil || !bytes.Equal(late.Bytes(), earlyBytes) {
				t.Fatalf("an image changed after it was taken: %v", err)
			}
		}
	})
}

func compareAll(t *rapid.T, s *State, w *twin, index uint64) {
	for _, name := range []string{"one", "two"} {
		id := Space{Principal: "p", Name: name}
		for _, prefix := range []string{"", "a", "a/", "b/"} {
			var want []sdk.StoreKV
			for _, k := range slices.Sorted(maps.Keys(w.spaces[id])) {
				if strings.HasPrefix(k, prefix) {
					want = append(want, w.spaces[id][k])
				}
			}
			if got := s.List(id, prefix); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%s %q: %v, its twin %v", name, prefix, got, want)
			}
		}
		after := index - min(index, uint64(rapid.IntRange(0, 5).Draw(t, "after")))
		got, err := s.Since(id, "a/", after)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, c := range w.history[id] {
			if c = c.Below("a/"); c.Revision > after && len(c.List) > 0 {
				want = append(want, sortedChanges(c))
			}
		}
		if len(got) != len(want) {
			t.Fatalf("since %d: %v, its twin %v", after, got, want)
		}
		for i := range got {
			if sortedChanges(got[i]) != want[i] {
				t.Fatalf("since %d: %v, its twin %v", after, got[i], want[i])
			}
		}
		if st := s.spaces[id]; st != nil && st.size != bytesOf(w.spaces[id]) {
			t.Fatalf("%s counts %d bytes, its twin %d", name, st.size, bytesOf(w.spaces[id]))
		}
	}
}

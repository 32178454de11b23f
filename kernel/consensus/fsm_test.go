package consensus

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
)

// P23: a new instance of raft begins from nothing, or from a snapshot, and nobody sees that:
// what is shown goes on from where it was, and every command is observed once.
func TestANewInstanceShowsNothingOlder(t *testing.T) {
	var observed []uint64
	o := DefaultOptions()
	o.Observe = func(_ *store.Command, r store.Result) { observed = append(observed, r.Index) }
	f := newFSM(o)
	f.fatal = func(err error) { t.Fatal(err) }
	// Of the registry are the entries 2, 3, 7 and 8, of the store 4, 5 and 9; raft keeps the
	// others to itself.
	apply := func(from, to uint64) {
		for index := from; index <= to; index++ {
			var data []byte
			var err error
			switch index {
			case 2, 3, 7, 8:
				data, err = registry.EncodeCommand(weight("role", float64(index)))
			case 4, 5, 9:
				data, err = store.EncodeCommand(storeHead(), putCommand("key", string('0'+rune(index))))
			default:
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			f.Apply(&raft.Log{Index: index, Data: data})
		}
	}
	shows := func(when string, weight float64, value string, saw ...uint64) {
		t.Helper()
		f.view(func(h held) {
			kv, _ := h.store.Get(stateSpace(), "key")
			if h.registry.Weight("role") != weight || string(kv.Value) != value {
				t.Errorf("%s: %v and %q are shown, not %v and %q", when, h.registry.Weight("role"), kv.Value, weight, value)
			}
		})
		if im := f.save(); im.registry.Weight("role") != weight {
			t.Errorf("%s: %v is saved, not %v", when, im.registry.Weight("role"), weight)
		}
		if !slices.Equal(observed, saw) {
			t.Errorf("%s: observed is %v, not %v", when, observed, saw)
		}
	}
	snapshot := func() []byte {
		s, err := f.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := s.(image).write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	restore := func(data []byte) {
		if err := f.Restore(io.NopCloser(bytes.NewReader(data))); err != nil {
			t.Fatal(err)
		}
	}
	apply(1, 4)
	early := snapshot()
	apply(5, 7)
	late := snapshot()
	shows("at first", 7, "5", 4, 5)
	f.reset()
	shows("with nothing", 7, "5", 4, 5)
	apply(1, 5)
	shows("half of the way", 7, "5", 4, 5)
	f.reset()
	restore(early)
	shows("at an early snapshot, after two instances", 7, "5", 4, 5)
	if !bytes.Equal(snapshot(), early) {
		t.Error("a snapshot for raft is of what it has applied, whatever is shown")
	}
	apply(5, 6)
	shows("one command before", 7, "5", 4, 5)
	apply(7, 7)
	shows("as far", 7, "5", 4, 5)
	apply(8, 9)
	shows("further", 8, "9", 4, 5, 9)
	f.reset()
	restore(late)
	shows("at a snapshot from before, further", 8, "9", 4, 5, 9)
	apply(8, 9)
	shows("and as far", 8, "9", 4, 5, 9)
	f.reset()
	f.reset()
	restore(late)
	apply(8, 9)
	shows("after two more", 8, "9", 4, 5, 9)
	all := snapshot()
	f.reset()
	restore(all)
	shows("at a snapshot of everything", 8, "9", 4, 5, 9)
	if f.past != nil {
		t.Error("two of everything are kept")
	}
}

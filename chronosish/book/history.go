package book

import (
	"encoding/json"
	"slices"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// history is what has been, in a room of its own: the oldest lines are dropped for the
// newest.
type history struct {
	lines   []*line          // by Seq
	pending map[string]*line // those that are not in the store yet, by key
	bytes   int              // of all, with keys
	seq     uint64           // of the newest
}

type line struct {
	rec    *Record
	size   int
	stored bool
	gone   bool // with its job, or it was never stored
}

// lineOverhead is what a key of the store costs beside its bytes.
const lineOverhead = 64

// note writes a line, and drops the oldest where there is no room for it.
func (b *Book) note(e *entry, rec Record) []sdk.StoreOp {
	h := &b.history
	h.seq++
	rec.Seq, rec.At = h.seq, b.now
	w := put(historyKey(&rec), &rec)
	h.pending[w.Key] = b.keep(e, &rec, len(w.Key)+len(w.Value))
	writes := []sdk.StoreOp{w}
	for h.bytes > b.opt.HistoryBytes && len(h.lines) > 1 && (h.lines[0].stored || h.lines[0].gone) {
		writes = append(writes, b.drop()...)
	}
	return writes
}

func (b *Book) keep(e *entry, rec *Record, size int) *line {
	h := &b.history
	l := &line{rec: rec, size: size + lineOverhead}
	h.lines = append(h.lines, l)
	e.history = append(e.history, l)
	h.bytes += l.size
	return l
}

// stored notes which lines are in the store with a posting.
func (b *Book) stored(p *mind.Posting) {
	for i := range p.Writes {
		if l := b.history.pending[p.Writes[i].Key]; l != nil && p.Writes[i].Type == sdk.StorePut {
			l.stored = true
			delete(b.history.pending, p.Writes[i].Key)
		}
	}
}

// unwrite takes the lines out of a posting for which there is no room; false: it has none.
func (b *Book) unwrite(p *mind.Posting) bool {
	h := &b.history
	n := len(p.Writes)
	p.Writes = slices.DeleteFunc(slices.Clone(p.Writes), func(w sdk.StoreOp) bool {
		l := h.pending[w.Key]
		if l == nil {
			return false
		}
		delete(h.pending, w.Key)
		if !l.gone {
			l.gone = true
			h.bytes -= l.size
			if e := b.jobs[l.rec.Job]; e != nil {
				e.history = slices.DeleteFunc(e.history, func(x *line) bool { return x == l })
			}
		}
		b.log(mind.Warn, "this is not written down in the history: the store has no room for it",
			"job", l.rec.Job, "slot", l.rec.Nominal, "last", l.rec.Last, "outcome", l.rec.Outcome, "task", l.rec.TaskID, "reason", l.rec.Reason)
		return true
	})
	return len(p.Writes) < n
}

// beyondShare tells whether the history has more than its quarter of what is known to be
// in the store. (Its room is a quarter of the whole space; masters may have a smaller one.)
func (b *Book) beyondShare() bool {
	return 4*b.history.bytes > b.history.bytes+b.defined
}

// drop drops the oldest line.
func (b *Book) drop() []sdk.StoreOp {
	h := &b.history
	l := h.lines[0]
	h.lines = h.lines[1:]
	if l.gone {
		return nil
	}
	h.bytes -= l.size
	if e := b.jobs[l.rec.Job]; e != nil && len(e.history) > 0 && e.history[0] == l {
		e.history = e.history[1:]
	}
	return []sdk.StoreOp{remove(historyKey(l.rec))}
}

// shed drops the older half of what of the history is in the store.
func (b *Book) shed() []sdk.StoreOp {
	h := &b.history
	n := 0
	for _, l := range h.lines {
		if l.stored && !l.gone {
			n++
		}
	}
	n = min((n+1)/2, b.opt.MaxWrites/2)
	var writes []sdk.StoreOp
	lines := h.lines
	var kept []*line
	for len(lines) > 0 && len(writes) < n {
		l := lines[0]
		if !l.stored && !l.gone {
			kept, lines = append(kept, l), lines[1:]
			continue
		}
		h.lines = lines
		writes = append(writes, b.drop()...)
		lines = h.lines
	}
	h.lines = append(kept, lines...)
	return writes
}

// burn drops the history of a job with it.
func (b *Book) burn(e *entry) {
	for _, l := range e.history {
		l.gone = true
		b.history.bytes -= l.size
	}
	e.history = nil
	b.history.lines = slices.DeleteFunc(b.history.lines, func(l *line) bool { return l.gone })
}

// restoreLine takes in a line of the store.
func (b *Book) restoreLine(kv sdk.StoreKV) error {
	rec := &Record{}
	if err := json.Unmarshal(kv.Value, rec); err != nil {
		return err
	}
	b.history.seq = max(b.history.seq, rec.Seq)
	b.keep(b.entry(rec.Job), rec, len(kv.Key)+len(kv.Value)).stored = true
	return nil
}

// sortHistory puts what was restored in its order.
func (b *Book) sortHistory() {
	order := func(x, y *line) int { return int(int64(x.rec.Seq) - int64(y.rec.Seq)) }
	slices.SortFunc(b.history.lines, order)
	for _, e := range b.jobs {
		slices.SortFunc(e.history, order)
	}
}

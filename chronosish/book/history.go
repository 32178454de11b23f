package book

import (
	"encoding/json"
	"slices"
)

// history is what has been, in a room of its own: the oldest lines are dropped for the
// newest.
type history struct {
	lines []*line // by Seq
	bytes int     // in the store, with keys
	seq   uint64  // of the newest
}

type line struct {
	rec  *Record
	size int
	gone bool // with its job
}

// lineOverhead is what a key of the store costs beside its bytes.
const lineOverhead = 64

// note writes a line, and drops the oldest where there is no room for it.
func (b *Book) note(e *entry, rec Record) []Write {
	h := &b.history
	h.seq++
	rec.Seq, rec.At = h.seq, b.now
	w := put(historyKey(&rec), &rec)
	b.keep(e, &rec, len(w.Key)+len(w.Value))
	writes := []Write{w}
	for h.bytes > b.opt.HistoryBytes && len(h.lines) > 1 {
		writes = append(writes, b.drop()...)
	}
	return writes
}

func (b *Book) keep(e *entry, rec *Record, size int) {
	h := &b.history
	l := &line{rec: rec, size: size + lineOverhead}
	h.lines = append(h.lines, l)
	e.history = append(e.history, l)
	h.bytes += l.size
}

// drop drops the oldest line.
func (b *Book) drop() []Write {
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
	return []Write{remove(historyKey(l.rec))}
}

// shed drops the older half of the history.
func (b *Book) shed() []Write {
	var writes []Write
	for n := min((len(b.history.lines)+1)/2, b.opt.MaxWrites/2); n > 0; n-- {
		writes = append(writes, b.drop()...)
	}
	return writes
}

// burn drops the history of a job with it.
func (b *Book) burn(e *entry) {
	for _, l := range e.history {
		l.gone = true
		b.history.bytes -= l.size
	}
	e.history = nil
}

// restoreLine takes in a line of the store.
func (b *Book) restoreLine(kv KV) error {
	rec := &Record{}
	if err := json.Unmarshal(kv.Value, rec); err != nil {
		return err
	}
	b.history.seq = max(b.history.seq, rec.Seq)
	b.keep(b.entry(rec.Job), rec, len(kv.Key)+len(kv.Value))
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

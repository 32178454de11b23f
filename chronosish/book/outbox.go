package book

import (
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// outbox gathers writes for the store. One transaction is on its way at a time, and they
// are done in the order in which they were posted.
type outbox struct {
	waiting []*posting
	sent    []*posting
	txn     uint64    // of sent; the number of the last one while none is on its way
	blocked time.Time // the store is full: nothing is tried before
}

// posting is a set of writes that are done together or not at all.
type posting struct {
	writes []Write
	alone  bool // after a refusal: whose fault it was shall be seen
	done   func()
	// failed is for what a client wants: it is given up where there is no room. Without it
	// the posting waits until there is: what it says was decided.
	failed func(*sdk.Error)
}

func (p *posting) size() int {
	n := 0
	for i := range p.writes {
		n += len(p.writes[i].Key) + len(p.writes[i].Value) + 32
	}
	return n
}

// post has the writes done with the next transaction.
func (b *Book) post(p *posting) {
	b.outbox.waiting = append(b.outbox.waiting, p)
}

// nextFlush is when what waits for room is to be tried again; zero: nothing does.
func (b *Book) nextFlush() time.Time {
	if o := &b.outbox; len(o.sent) == 0 && len(o.waiting) > 0 {
		return o.blocked
	}
	return time.Time{}
}

// flush sends what has gathered, when nothing is on its way.
func (b *Book) flush() {
	o := &b.outbox
	if len(o.sent) > 0 || len(o.waiting) == 0 || o.blocked.After(b.now) {
		return
	}
	var writes []Write
	size, n := 0, 0
	for n < len(o.waiting) {
		p := o.waiting[n]
		if n > 0 && (p.alone || o.waiting[0].alone || size+p.size() > b.opt.MaxTxn || len(writes)+len(p.writes) > b.opt.MaxWrites) {
			break
		}
		writes = append(writes, p.writes...)
		size += p.size()
		n++
	}
	o.sent, o.waiting = o.waiting[:n:n], o.waiting[n:]
	o.txn++
	b.emit(Commit{Txn: o.txn, Writes: writes})
}

func (b *Book) persisted(txn uint64) {
	for _, p := range b.answered(txn) {
		if p.done != nil {
			p.done()
		}
	}
}

// refused makes room: the oldest half of the history goes. Where there is none left,
// each of the writes is tried alone, so that only what a client wants and there is no
// room for is given up; what was decided waits.
func (b *Book) refused(txn uint64, err *sdk.Error) {
	sent := b.answered(txn)
	o := &b.outbox
	if room := b.shed(); len(room) > 0 {
		b.log(mind.Warn, "the store is full: the oldest of the history is dropped", "lines", len(room), "error", err)
		sent = append([]*posting{{writes: room, alone: true}}, sent...)
	} else if len(sent) == 1 {
		if p := sent[0]; p.failed != nil {
			p.failed(err)
			return
		}
		b.log(mind.Warn, "what was decided waits: the store has no room for it", "error", err)
		o.blocked = b.now.Add(b.opt.FullPause)
	} else {
		for _, p := range sent {
			p.alone = true
		}
	}
	o.waiting = append(sent, o.waiting...)
}

func (b *Book) answered(txn uint64) []*posting {
	if txn != b.outbox.txn {
		return nil
	}
	sent := b.outbox.sent
	b.outbox.sent = nil
	return sent
}

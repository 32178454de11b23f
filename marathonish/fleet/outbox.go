package fleet

import (
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// outbox gathers writes for the store. One transaction is on its way at a time.
type outbox struct {
	waiting []*posting
	sent    []*posting
	txn     uint64 // of sent; the number of the last one while none is on its way
}

// posting is a set of writes that are done together or not at all.
type posting struct {
	writes []Write
	alone  bool // after a refusal: whose fault it was shall be seen
	// lazy writes go with the next transaction, or by themselves after lazyPause: it does no
	// harm when a crash comes before them.
	lazy   bool
	posted time.Time
	done   func()
	failed func(*sdk.Error) // nil: it does not matter
}

func (p *posting) size() int {
	n := 0
	for i := range p.writes {
		n += len(p.writes[i].Key) + len(p.writes[i].Value) + 32
	}
	return n
}

// lazyPause is how long lazy writes wait for company.
const lazyPause = 100 * time.Millisecond

// fullness remembers that the store has refused to grow.
type fullness struct {
	until  time.Time // before this nothing is tried
	reason string
	scarce time.Time // until then what ends makes room only for its own successor
}

// post has the writes done with the next transaction.
func (f *Fleet) post(p *posting) {
	p.posted = f.now
	f.outbox.waiting = append(f.outbox.waiting, p)
}

// nextFlush is when what waits is to be sent although nothing else comes; zero: nothing
// waits for that.
func (f *Fleet) nextFlush() time.Time {
	if o := &f.outbox; len(o.sent) == 0 && len(o.waiting) > 0 {
		return o.waiting[0].posted.Add(lazyPause)
	}
	return time.Time{}
}

// worthIt tells whether something waits that is worth a transaction.
func (f *Fleet) worthIt() bool { return f.outbox.urgent() || !f.nextFlush().After(f.now) }

// urgent tells whether a write waits that is not lazy.
func (o *outbox) urgent() bool {
	return slices.ContainsFunc(o.waiting, func(p *posting) bool { return !p.lazy })
}

// quiet tells that no write but lazy ones is on its way or waits.
func (f *Fleet) quiet() bool { return len(f.outbox.sent) == 0 && !f.outbox.urgent() }

// flush sends what has gathered, when nothing is on its way.
func (f *Fleet) flush() {
	o := &f.outbox
	if len(o.sent) > 0 || len(o.waiting) == 0 || !f.worthIt() {
		return
	}
	var writes []Write
	size, n := 0, 0
	for n < len(o.waiting) {
		p := o.waiting[n]
		if n > 0 && (p.alone || o.waiting[0].alone || size+p.size() > f.opt.MaxTxn || len(writes)+len(p.writes) > f.opt.MaxWrites) {
			break
		}
		writes = append(writes, p.writes...)
		size += p.size()
		n++
	}
	o.sent, o.waiting = o.waiting[:n:n], o.waiting[n:]
	o.txn++
	f.emit(Commit{Txn: o.txn, Writes: writes})
}

func (f *Fleet) persisted(txn uint64) {
	for _, p := range f.answered(txn) {
		if p.done != nil {
			p.done()
		}
	}
}

// refused has each of the writes tried alone, so that only what is too much is
// refused. Deletions always have room.
func (f *Fleet) refused(txn uint64, err *sdk.Error) {
	sent := f.answered(txn)
	if len(sent) == 1 {
		if p := sent[0]; p.failed != nil {
			p.failed(err)
		}
		return
	}
	for _, p := range sent {
		p.alone = true
	}
	f.outbox.waiting = append(sent, f.outbox.waiting...)
}

func (f *Fleet) answered(txn uint64) []*posting {
	if txn != f.outbox.txn {
		return nil
	}
	sent := f.outbox.sent
	f.outbox.sent = nil
	return sent
}

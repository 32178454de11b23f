package book

import (
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// outbox gathers writes for the store. One transaction is on its way at a time, and those
// about the same job are done in the order in which they were posted; others pass what
// waits for room.
type outbox struct {
	waiting []*posting
	sent    []*posting
	txn     uint64 // of sent; the number of the last one while none is on its way
}

// posting is a set of writes that are done together or not at all.
type posting struct {
	writes []Write
	alone  bool      // after a refusal: whose fault it was shall be seen
	after  time.Time // there was no room for it: it is not tried before
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

// subject is the job that a key is about; empty: it is a line of the history, which what
// waits for room has none of.
func subject(key string) string {
	kind, rest, _ := strings.Cut(key, "/")
	if kind+"/" == keyHistory {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// follows tells whether the posting must be done after others about the jobs of held. One
// without writes follows all.
func (p *posting) follows(held map[string]bool) bool {
	if len(p.writes) == 0 {
		return len(held) > 0
	}
	return len(held) > 0 && slices.ContainsFunc(p.writes, func(w Write) bool { return held[subject(w.Key)] })
}

func (p *posting) hold(held map[string]bool) {
	for i := range p.writes {
		if name := subject(p.writes[i].Key); name != "" {
			held[name] = true
		}
	}
}

// post has the writes done with the next transaction.
func (b *Book) post(p *posting) {
	b.outbox.waiting = append(b.outbox.waiting, p)
}

// nextFlush is when what waits for room is to be tried again; zero: nothing does.
func (b *Book) nextFlush() time.Time {
	var next time.Time
	if o := &b.outbox; len(o.sent) == 0 {
		for _, p := range o.waiting {
			next = earlier(next, p.after)
		}
	}
	return next
}

// flush sends what has gathered, when nothing is on its way.
func (b *Book) flush() {
	o := &b.outbox
	if len(o.sent) > 0 || len(o.waiting) == 0 {
		return
	}
	var left, batch []*posting
	var writes []Write
	held := map[string]bool{}
	size, n := 0, 0
	for ; n < len(o.waiting); n++ {
		p := o.waiting[n]
		if p.after.After(b.now) || p.follows(held) {
			p.hold(held)
			left = append(left, p)
			continue
		}
		if len(batch) > 0 && (p.alone || batch[0].alone || size+p.size() > b.opt.MaxTxn || len(writes)+len(p.writes) > b.opt.MaxWrites) {
			break
		}
		writes, batch = append(writes, p.writes...), append(batch, p)
		size += p.size()
	}
	if o.waiting = o.waiting[n:]; len(left) > 0 {
		o.waiting = append(left, o.waiting...)
	}
	if len(batch) == 0 {
		return
	}
	o.sent = batch
	o.txn++
	b.emit(Commit{Txn: o.txn, Writes: writes})
}

func (b *Book) persisted(txn uint64) {
	for _, p := range b.answered(txn) {
		b.stored(p)
		if p.done != nil {
			p.done()
		}
	}
}

// refused makes room. What clients want is tried alone, and given up where there is none:
// the history makes room for it only beyond its share. For what was decided all of the
// history goes, the oldest half first, its own lines last; when none is left, it waits.
func (b *Book) refused(txn uint64, err *sdk.Error) {
	sent := b.answered(txn)
	if len(sent) == 0 {
		return
	}
	o := &b.outbox
	full := err.Code != sdk.CodeTooLarge
	wanted := slices.ContainsFunc(sent, func(p *posting) bool { return p.failed != nil })
	switch first := sent[0]; {
	case len(sent) > 1 && (wanted || !full):
		for _, p := range sent {
			p.alone = !full || p.failed != nil
		}
	case wanted && !(full && b.beyondShare()):
		b.unwrite(first)
		first.failed(err)
		return
	case full && b.makeRoom(&sent, err):
	case len(sent) > 1:
		for _, p := range sent {
			p.alone = true
		}
	case wanted:
		b.unwrite(first)
		first.failed(err)
		return
	case b.unwrite(first):
	default:
		b.log(mind.Warn, "what was decided waits: the store has no room for it", "error", err)
		first.after = b.now.Add(b.opt.FullPause)
	}
	o.waiting = append(sent, o.waiting...)
}

// makeRoom has the older half of the history dropped before what was sent is tried again;
// false: nothing of it is in the store.
func (b *Book) makeRoom(sent *[]*posting, err *sdk.Error) bool {
	room := b.shed()
	if len(room) == 0 {
		return false
	}
	b.log(mind.Warn, "the store is full: the oldest of the history is dropped", "lines", len(room), "error", err)
	*sent = append([]*posting{{writes: room, alone: true}}, *sent...)
	return true
}

func (b *Book) answered(txn uint64) []*posting {
	if txn != b.outbox.txn {
		return nil
	}
	sent := b.outbox.sent
	b.outbox.sent = nil
	return sent
}

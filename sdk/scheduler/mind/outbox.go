package mind

import (
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Outbox gathers writes for the store. One transaction is on its way at a time; the next
// gathers meanwhile. They are done in the order in which they were posted, but for what
// does not wait for what there was no room for.
type Outbox struct {
	// MaxTxn is the size of a transaction in bytes that is not exceeded by gathering,
	// MaxWrites the number of writes.
	MaxTxn, MaxWrites int
	// FullPause is for Refused: how long nothing is tried after a refusal of what may not
	// be given up (Posting.Failed). 0 gives it up.
	FullPause time.Duration
	// Subject is what a key is about; empty for nothing that matters. Postings about the
	// same keep their order, others pass those that wait for Posting.After, and one without
	// writes follows all. nil: everything is about the same.
	Subject func(key string) string

	waiting []*Posting
	sent    []*Posting
	txn     uint64 // of sent; the number of the last one while none is on its way
}

// Posting is a set of writes that are done together or not at all.
type Posting struct {
	Writes []sdk.StoreOp
	// Done is called when they are in the store; nil for nothing.
	Done func()
	// Failed is called when the store has no room for them, tried alone, and they are given
	// up. Without it they wait where the outbox has a FullPause: what they say was decided.
	Failed func(*sdk.Error)
	// Lazy writes go with the next transaction, or by themselves after LazyPause: it does no
	// harm when a crash comes before them.
	Lazy bool
	// Alone is for writes that share their transaction with no others.
	Alone bool
	// After is the time before which they are not tried.
	After time.Time
	// Spare is asked before they are tried, and whether they are left out; Done and Failed are
	// not called then. It is for what is worth its room only where there is enough. nil: they
	// are tried.
	Spare func() bool

	posted time.Time
}

// LazyPause is how long lazy writes wait for company.
const LazyPause = 100 * time.Millisecond

// writeOverhead is what a write takes beside its key and its value, in bytes.
const writeOverhead = 32

func (p *Posting) size() int {
	n := 0
	for i := range p.Writes {
		n += len(p.Writes[i].Key) + len(p.Writes[i].Value) + writeOverhead
	}
	return n
}

// due is when the posting is worth a transaction; zero: at once.
func (p *Posting) due() time.Time {
	if at := p.posted.Add(LazyPause); p.Lazy && at.After(p.After) {
		return at
	}
	return p.After
}

// Post has the writes done with the next transaction.
func (o *Outbox) Post(now time.Time, p *Posting) {
	p.posted = now
	o.waiting = append(o.waiting, p)
}

// Quiet tells that no write but lazy ones is on its way or waits.
func (o *Outbox) Quiet() bool {
	return len(o.sent) == 0 && !slices.ContainsFunc(o.waiting, func(p *Posting) bool { return !p.Lazy })
}

// Waiting is how many postings are not on their way.
func (o *Outbox) Waiting() int { return len(o.waiting) }

// Due is when Flush has something to do although nothing has happened since the last
// one; zero: never.
func (o *Outbox) Due() time.Time {
	at, _ := o.due(time.Time{})
	return at
}

// due is when the first posting is worth a transaction of those that follow none that
// waits beyond now; false: there is none, or a transaction is on its way.
func (o *Outbox) due(now time.Time) (due time.Time, found bool) {
	if len(o.sent) > 0 {
		return due, false
	}
	held := held{subject: o.Subject}
	for _, p := range o.waiting {
		follows := held.follows(p)
		if at := p.due(); !follows && (!found || at.Before(due)) {
			due, found = at, true
		}
		if follows || p.After.After(now) {
			held.hold(p)
		}
	}
	return due, found
}

// Flush gives what has gathered as a transaction, when nothing is on its way and it is
// worth one. It is to be called at the end of each step.
func (o *Outbox) Flush(now time.Time) (Commit, bool) {
	if at, found := o.due(now); !found || at.After(now) {
		return Commit{}, false
	}
	var left, batch []*Posting
	var writes []sdk.StoreOp
	held := held{subject: o.Subject}
	size, n := 0, 0
	for ; n < len(o.waiting); n++ {
		p := o.waiting[n]
		if p.After.After(now) || held.follows(p) {
			held.hold(p)
			left = append(left, p)
			continue
		}
		if p.Spare != nil && p.Spare() {
			continue
		}
		if len(batch) > 0 && (p.Alone || batch[0].Alone || size+p.size() > o.MaxTxn || len(writes)+len(p.Writes) > o.MaxWrites) {
			break
		}
		writes, batch = append(writes, p.Writes...), append(batch, p)
		size += p.size()
	}
	if o.waiting = o.waiting[n:]; len(left) > 0 {
		o.waiting = append(left, o.waiting...)
	}
	if len(batch) == 0 {
		return Commit{}, false
	}
	o.sent = batch
	o.txn++
	return Commit{Txn: o.txn, Writes: writes}, true
}

// held are the subjects of postings that wait.
type held struct {
	subject func(key string) string
	all     bool // some wait
	names   map[string]bool
}

// follows tells whether the posting must be done after those that wait.
func (h *held) follows(p *Posting) bool {
	if !h.all || h.subject == nil || len(p.Writes) == 0 {
		return h.all
	}
	return slices.ContainsFunc(p.Writes, func(w sdk.StoreOp) bool { return h.names[h.subject(w.Key)] })
}

func (h *held) hold(p *Posting) {
	h.all = true
	if h.subject == nil {
		return
	}
	if h.names == nil {
		h.names = map[string]bool{}
	}
	for i := range p.Writes {
		if name := h.subject(p.Writes[i].Key); name != "" {
			h.names[name] = true
		}
	}
}

// Persisted is what Persisted tells: what was sent is done.
func (o *Outbox) Persisted(txn uint64) {
	for _, p := range o.Answered(txn) {
		if p.Done != nil {
			p.Done()
		}
	}
}

// Refused is what Refused tells. Each posting of the transaction is tried alone, so that
// only what is too much is given up, or waits: then it gives true. (Deletions always have
// room.) A mind that knows better takes what was Answered, and puts it back.
func (o *Outbox) Refused(now time.Time, in Refused) (waits bool) {
	sent := o.Answered(in.Txn)
	switch {
	case len(sent) != 1:
		for _, p := range sent {
			p.Alone = true
		}
	case sent[0].Failed != nil:
		sent[0].Failed(in.Err)
		return false
	case o.FullPause == 0:
		return false
	default:
		sent[0].After, waits = now.Add(o.FullPause), true
	}
	o.PutBack(sent...)
	return waits
}

// Answered are the postings of the transaction that is not on its way any more.
func (o *Outbox) Answered(txn uint64) []*Posting {
	if txn != o.txn {
		return nil
	}
	sent := o.sent
	o.sent = nil
	return sent
}

// PutBack has postings tried before all others.
func (o *Outbox) PutBack(list ...*Posting) {
	if len(list) > 0 {
		o.waiting = append(slices.Clip(list), o.waiting...)
	}
}

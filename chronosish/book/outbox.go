package book

import (
	"slices"
	"strings"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// newOutbox gathers writes for the store. Those about the same job are done in the order
// in which they were posted; others pass what waits for room.
func newOutbox(o Options) mind.Outbox {
	return mind.Outbox{MaxTxn: o.MaxTxn, MaxWrites: o.MaxWrites, Subject: subject}
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

// post has the writes done with the next transaction. Failed is for what a client wants: it
// is given up where there is no room. Without it the posting waits until there is: what it
// says was decided.
func (b *Book) post(p *mind.Posting) { b.outbox.Post(b.now, p) }

// flush sends what has gathered, when nothing is on its way.
func (b *Book) flush() {
	if c, ok := b.outbox.Flush(b.now); ok {
		b.emit(c)
	}
}

func (b *Book) persisted(txn uint64) {
	for _, p := range b.outbox.Answered(txn) {
		b.stored(p)
		if p.Done != nil {
			p.Done()
		}
	}
}

// refused makes room. What clients want is tried alone, and given up where there is none:
// the history makes room for it only beyond its share. For what was decided all of the
// history goes, the oldest half first, its own lines last; when none is left, it waits.
func (b *Book) refused(txn uint64, err *sdk.Error) {
	sent := b.outbox.Answered(txn)
	if len(sent) == 0 {
		return
	}
	full := err.Code != sdk.CodeTooLarge
	wanted := slices.ContainsFunc(sent, func(p *mind.Posting) bool { return p.Failed != nil })
	switch first := sent[0]; {
	case len(sent) > 1 && (wanted || !full):
		for _, p := range sent {
			p.Alone = !full || p.Failed != nil
		}
	case wanted && !(full && b.beyondShare()):
		b.unwrite(first)
		first.Failed(err)
		return
	case full && b.makeRoom(&sent, err):
	case len(sent) > 1:
		for _, p := range sent {
			p.Alone = true
		}
	case wanted:
		b.unwrite(first)
		first.Failed(err)
		return
	case b.unwrite(first):
	case plantDropRefused:
		return
	default:
		b.log(mind.Warn, "what was decided waits: the store has no room for it", "error", err)
		first.After = b.now.Add(b.opt.FullPause)
	}
	b.outbox.PutBack(sent...)
}

// makeRoom has the older half of the history dropped before what was sent is tried again;
// false: nothing of it is in the store.
func (b *Book) makeRoom(sent *[]*mind.Posting, err *sdk.Error) bool {
	room := b.shed()
	if len(room) == 0 {
		return false
	}
	b.log(mind.Warn, "the store is full: the oldest of the history is dropped", "lines", len(room), "error", err)
	*sent = append([]*mind.Posting{{Writes: room, Alone: true}}, *sent...)
	return true
}

package fleet

import (
	"time"

	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// fullness remembers that the store has refused to grow.
type fullness struct {
	until  time.Time // before this nothing is tried
	reason string
	scarce time.Time // until then what ends makes room only for its own successor
	seen   bool      // it has refused something since Load
}

// scarceFor is how long a store that was full is taken to be nearly so.
const scarceFor = time.Minute

// scarce notes that the store had no room at that time. What ended long before that has left
// none for its successor.
func (f *Fleet) scarce(at time.Time) {
	f.full.seen = true
	for _, s := range f.services {
		if f.now.Sub(s.ended) > scarceFor {
			f.owe(s, 0)
		}
	}
	if until := at.Add(scarceFor); until.After(f.full.scarce) {
		f.full.scarce = until
	}
}

// owe sets how many launches of an app have the room of its ended instances. Until they are
// stored nothing else grows in a scarce store. That is not stored itself: after a restart it
// is what an app lacks that is not being deployed.
func (f *Fleet) owe(s *service, n int) {
	switch {
	case s.owed == 0 && n > 0:
		f.owing++
	case s.owed > 0 && n == 0:
		f.owing--
	}
	s.owed = n
}

// reserved tells whether what room there is may be that of a successor.
func (f *Fleet) reserved() bool {
	return f.now.Before(f.full.scarce) && (f.owing > 0 || f.burying > 0)
}

// opened has what was held back for want of room ask for offers anew when the time of that
// has passed since before.
func (f *Fleet) opened(before time.Time) {
	for _, at := range []time.Time{f.full.until, f.full.scarce} {
		if !at.After(before) || at.After(f.now) {
			continue
		}
		for id := range f.wanting {
			if s := f.services[id]; s != nil {
				s.waiting.fresh = true
			}
		}
	}
}

// roomDue is when launches are tried again that there was no room for; zero: nothing waits.
func (f *Fleet) roomDue() (due time.Time) {
	if len(f.wanting) == 0 {
		return due
	}
	for _, at := range []time.Time{f.full.scarce, f.full.until} {
		if at.After(f.now) {
			due = at
		}
	}
	return due
}

// post has the writes done with the next transaction.
func (f *Fleet) post(p *mind.Posting) { f.outbox.Post(f.now, p) }

// flush sends what has gathered, when nothing is on its way.
func (f *Fleet) flush() {
	if c, ok := f.outbox.Flush(f.now); ok {
		f.emit(c)
	}
}

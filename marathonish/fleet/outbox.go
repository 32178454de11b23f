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
}

// scarce notes that the store had no room at that time.
func (f *Fleet) scarce(at time.Time) {
	if until := at.Add(scarceFor); until.After(f.full.scarce) {
		f.full.scarce = until
	}
}

// post has the writes done with the next transaction.
func (f *Fleet) post(p *mind.Posting) { f.outbox.Post(f.now, p) }

// flush sends what has gathered, when nothing is on its way.
func (f *Fleet) flush() {
	if c, ok := f.outbox.Flush(f.now); ok {
		f.emit(c)
	}
}

package master

import (
	"sync"
	"time"

	"github.com/profferhq/proffer/kernel/view"
	"github.com/profferhq/proffer/sdk"
)

// readers is what readers see. The loop only notes events; they are folded by
// whoever reads next, so that a large answer never holds up the loop.
type readers struct {
	mu   sync.Mutex // guards notes; held for an append only
	news []note

	fold sync.Mutex // guards view; taken before mu
	view *view.View
}

type note struct {
	at    time.Time
	event *sdk.OperatorEvent
}

// foldAt bounds the notes that wait while nobody reads.
const foldAt = 512

func newReaders() *readers { return &readers{view: view.New(view.Options{})} }

// apply notes an event.
func (r *readers) apply(e *sdk.OperatorEvent) {
	r.mu.Lock()
	r.news = append(r.news, note{time.Now(), e})
	many := len(r.news) >= foldAt
	r.mu.Unlock()
	if many && r.fold.TryLock() { // else a reader is at it
		r.catchUp()
		r.fold.Unlock()
	}
}

// catchUp folds what was noted. The caller holds fold.
func (r *readers) catchUp() {
	r.mu.Lock()
	news := r.news
	r.news = nil
	r.mu.Unlock()
	for _, n := range news {
		r.view.Apply(n.at, n.event)
	}
}

// answer answers a reading call; nil for one that is not.
func (r *readers) answer(call sdk.OperatorCallType) *sdk.OperatorResponse {
	r.fold.Lock()
	defer r.fold.Unlock()
	r.catchUp()
	return r.view.Answer(call)
}

// state is everything at this moment.
func (r *readers) state() *sdk.GetState {
	return r.answer(sdk.OperatorGetState).GetState
}

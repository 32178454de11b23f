package consensus

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// others are what this master knows of the other ones while it leads: who answers, and who
// could succeed it.
type others struct {
	mu   sync.Mutex
	raft *raft.Raft // nil while it begins
	of   map[raft.ServerID]*other
	news chan struct{} // closed when one is back, or this master may lead no longer; nil: nobody waits for that
}

// other is one of them, in a term.
type other struct {
	term  uint64
	mute  bool      // the last sign of life had no answer
	at    time.Time // of the last answer, or of the first word of it
	sends uint64    // into its pipeline
	last  uint64    // index of the newest entry of them
	// open says that raft may not have ended with the last handing over to it; ended, that it
	// has, but may have left a question to it, when there had been so many sends.
	open, ended bool
	left        uint64
}

func newOthers() *others { return &others{of: map[raft.ServerID]*other{}} }

// in is the one of that id in a term; one of an earlier term is forgotten. Callers hold the
// mutex.
func (o *others) in(id raft.ServerID, term uint64) *other {
	x := o.of[id]
	if x == nil || x.term < term {
		x = &other{term: term, at: time.Now()}
		o.of[id] = x
	}
	if x.term > term {
		return &other{term: term, at: time.Now()} // the word comes late
	}
	return x
}

// begin is called when raft has begun.
func (o *others) begin(r *raft.Raft) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.raft = r
}

// tell notes whether one has answered a sign of life.
func (o *others) tell(id raft.ServerID, term uint64, answered bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.in(id, term)
	if x.mute && answered {
		o.wake()
	}
	x.mute = !answered
	if answered {
		x.at = time.Now()
	}
}

// away tells whether one has not answered the last sign of life of the term.
func (o *others) away(id raft.ServerID, term uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.in(id, term).mute
}

// serves tells whether this master leads the term, with that one at that address.
func (o *others) serves(id raft.ServerID, at raft.ServerAddress, term uint64) bool {
	o.mu.Lock()
	r := o.raft
	o.mu.Unlock()
	return r != nil && r.State() == raft.Leader && r.CurrentTerm() == term &&
		slices.ContainsFunc(r.GetConfiguration().Configuration().Servers, func(s raft.Server) bool { return s.ID == id && s.Address == at })
}

// more is closed when one is back, or this master may lead no longer. Who looks after that
// misses nothing.
func (o *others) more() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.news == nil {
		o.news = make(chan struct{})
	}
	return o.news
}

// look has those that wait look again: this master may lead no longer.
func (o *others) look() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wake()
}

// wake is look. Callers hold the mutex.
func (o *others) wake() {
	if o.news != nil {
		close(o.news)
		o.news = nil
	}
}

// sent counts what goes into a pipeline; last is the index of its newest entry.
func (o *others) sent(id raft.ServerID, term, last uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.in(id, term)
	x.sends, x.last = x.sends+1, last
}

// stands notes that one is asked to stand for election.
func (o *others) stands(id raft.ServerID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if x := o.of[id]; x != nil {
		x.open = false
	}
}

// settled notes what the handing over to one has come to; late says that it took too long.
func (o *others) settled(id raft.ServerID, term uint64, late bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.in(id, term)
	x.ended, x.left = late && x.open, x.sends
	x.open = x.ended
}

// lookedAfter is after how many sends raft has surely looked at a question that it was left:
// before each it chooses at random between that and what is new.
const lookedAfter = 32

// errNotYet says that a handing over has to wait for the one before, or for an answer.
var errNotYet = errors.New("no successor could be brought up to date in time")

// successor is the voter that is to lead next, the one named or else the furthest of those
// that have answered within a while. errNotYet: it may be possible in a while.
//
// raft gives up to bring a successor up to date after an election time-out, and may leave the
// question whether it is in a queue of one. While it is there the next handing over waits for
// room, with all writes refused: for ever, if that successor is away or the leadership ends. So
// there is no next one to it before raft has asked it to stand, or has looked into that queue.
func (o *others) successor(servers []raft.Server, self, name raft.ServerID, term uint64, within time.Duration) (raft.Server, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var best raft.Server
	var found *other
	err := errors.New("no other master that votes answers")
	if name != "" {
		err = fmt.Errorf("%s does not answer", name)
	}
	for _, s := range servers {
		if s.Suffrage != raft.Voter || s.ID == self || name != "" && s.ID != name {
			continue
		}
		switch x := o.in(s.ID, term); {
		case x.mute:
		case time.Since(x.at) > within, x.open && (!x.ended || x.sends < x.left+lookedAfter):
			err = errNotYet
		case found == nil || x.last > found.last:
			best, found = s, x
		}
	}
	if found == nil {
		return best, err
	}
	found.open, found.ended = true, false
	return best, nil
}

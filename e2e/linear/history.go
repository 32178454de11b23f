package linear

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// Kind is what a call does.
type Kind string

// The kinds of calls.
const (
	Get    Kind = "get"    // reads Value; empty: there is no such key
	Put    Kind = "put"    // sets Value
	Swap   Kind = "swap"   // sets Value where it was Old; empty: where there was no such key
	Delete Kind = "delete" // takes the key away
)

// Call is what a client asks of one key. Values of writes must not be empty, and each
// should be new, so that a read tells which write it has seen.
type Call struct {
	Kind  Kind
	Key   string
	Value string
	Old   string
}

// Answer is what became of a call.
type Answer struct {
	Value   string // of a Get
	Held    bool   // of a Swap
	Unknown bool   // a write that may or may not have been done, and may still be
}

// Pending is a call that has begun.
type Pending struct {
	h    *History
	call Call
	who  int
	at   int64
}

// History is the record of all calls. Its zero value is empty.
type History struct {
	mu    sync.Mutex
	began time.Time
	ops   []porcupine.Operation
}

// now is on the monotonic clock, in nanoseconds since the first call.
func (h *History) now() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.began.IsZero() {
		h.began = time.Now()
	}
	return time.Since(h.began).Nanoseconds()
}

// Begin writes down that a client, who makes one call at a time, begins one.
func (h *History) Begin(who int, c Call) Pending { return Pending{h, c, who, h.now()} }

// Done writes down its answer. A call that was certainly not done is told by not calling
// Done, and so is a read that failed.
func (p Pending) Done(a Answer) {
	end := p.h.now()
	if a.Unknown {
		end = math.MaxInt64
	}
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	p.h.ops = append(p.h.ops, porcupine.Operation{ClientId: p.who, Input: p.call, Output: a, Call: p.at, Return: end})
}

// Counts are how many calls of each kind are known, and how many of all are not.
func (h *History) Counts() (known map[Kind]int, unknown int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known = map[Kind]int{}
	for _, op := range h.ops {
		if c, a := parts(op.Input, op.Output); a.Unknown {
			unknown++
		} else {
			known[c.Kind]++
		}
	}
	return known, unknown
}

func parts(input, output any) (Call, Answer) {
	c, ok1 := input.(Call)
	a, ok2 := output.(Answer)
	if !ok1 || !ok2 {
		panic(fmt.Sprintf("linear: %T and %T are no call and answer", input, output))
	}
	return c, a
}

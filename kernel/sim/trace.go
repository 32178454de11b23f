package sim

import (
	"fmt"
	"time"
)

// moment is something that has happened.
type moment struct {
	at   time.Duration
	what string
}

func (m moment) String() string { return fmt.Sprintf("%12v %s", m.at, m.what) }

// mostKept bounds what is remembered for people.
const mostKept = 400

// The digest is FNV-1a's, written out because a run makes millions of them.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// note makes something part of the trace.
func (w *world) note(format string, args ...any) { w.record(fmt.Sprintf(format, args...)) }

// record makes something part of the trace, as it is.
func (w *world) record(what string) {
	m := moment{w.now.Sub(w.start), what}
	h := w.digest
	for at := uint64(m.at); at > 0; at >>= 8 {
		h = (h ^ at&0xff) * fnvPrime
	}
	for i := range len(what) {
		h = (h ^ uint64(what[i])) * fnvPrime
	}
	w.digest = h
	if w.opt.Watch != nil {
		w.opt.Watch(m.String())
	}
	if len(w.last) == mostKept {
		w.last = append(w.last[:0], w.last[mostKept/4:]...)
	}
	w.last = append(w.last, m)
}

package slots

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verdict names what a scheduler did wrong.
type Verdict string

// The verdicts. Those in the table of DESIGN's reference have its names.
const (
	Missed      Verdict = "MISSED"       // a slot has neither run nor a record that it was skipped
	Duplicate   Verdict = "DUPLICATE"    // something happened twice, or at once, that may happen once
	Early       Verdict = "EARLY"        // a run began before its slot
	Late        Verdict = "LATE"         // a run began after its slot's window
	Order       Verdict = "ORDER"        // a child began before its parent's end, a slot before the one before it
	LostChild   Verdict = "LOST-CHILD"   // a parent's success has caused no run of its child
	Count       Verdict = "COUNT"        // a run of what is no slot of the job
	RetryBudget Verdict = "RETRY-BUDGET" // too many attempts, or one too soon after the other
	Resurrected Verdict = "RESURRECTED"  // an attempt began after the history said that it was over, or never was
	Broken      Verdict = "BROKEN"       // an attempt began and never ended, or ended and never began
	Untold      Verdict = "UNTOLD"       // an attempt succeeded, and the history has it otherwise, or not at all
	Phantom     Verdict = "PHANTOM"      // the history tells of a success of which there is no line
)

// Verdicts are all of them.
func Verdicts() []Verdict {
	return []Verdict{Missed, Duplicate, Early, Late, Order, LostChild, Count, RetryBudget, Resurrected, Broken, Untold, Phantom}
}

// Finding is one thing that was wrong.
type Finding struct {
	Verdict Verdict
	Job     string
	Nominal int64 // of the run that it is about, milliseconds since 1970
	Text    string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s at %s: %s", f.Verdict, f.Job, clock(f.Nominal), f.Text)
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("15:04:05.000") }

// Tally counts one job's slots; for a child, the successes of its parent.
type Tally struct {
	Slots, Ran, Skipped int
	Retries             int            // attempts that began beyond the first of a run
	Why                 map[string]int // skipped slots by reason
	Lateness            []int64        // from the slot, or the parent's end, to the begin: ms, ascending
}

// Report is what Judge says.
type Report struct {
	Findings []Finding // by job, then by time
	Tallies  map[string]*Tally
}

// Has counts the findings of a kind.
func (r *Report) Has(v Verdict) int {
	n := 0
	for _, f := range r.Findings {
		if f.Verdict == v {
			n++
		}
	}
	return n
}

// String is a table for people.
func (r *Report) String() string {
	var b strings.Builder
	var names []string
	for name := range r.Tallies {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t := r.Tallies[name]
		fmt.Fprintf(&b, "%s: %d slots, %d ran, %d skipped %v, %d retries; late by p50 %d, p95 %d, p99 %d, at most %d ms\n",
			name, t.Slots, t.Ran, t.Skipped, t.Why, t.Retries, t.quantile(50), t.quantile(95), t.quantile(99), t.quantile(100))
	}
	for _, v := range Verdicts() {
		fmt.Fprintf(&b, "%s %d  ", v, r.Has(v))
	}
	return b.String()
}

func (t *Tally) quantile(percent int) int64 {
	if len(t.Lateness) == 0 {
		return 0
	}
	return t.Lateness[(len(t.Lateness)-1)*percent/100]
}

// Pauses are the times in which no run began although slots came each second, longer than
// least (milliseconds): when each began and how long it was.
func Pauses(lines []Line, least int64) []string {
	var begins []int64
	for _, l := range lines {
		if l.Phase == Begin {
			begins = append(begins, l.At)
		}
	}
	slices.Sort(begins)
	var list []string
	for i := 1; i < len(begins); i++ {
		if d := begins[i] - begins[i-1]; d > least {
			list = append(list, fmt.Sprintf("%s: %d ms", clock(begins[i-1]), d))
		}
	}
	return list
}

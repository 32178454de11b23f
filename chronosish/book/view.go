package book

import (
	"time"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
)

// Cause is why a run was made.
type Cause string

// The causes.
const (
	BySlot    Cause = "slot"    // of the schedule
	ByParents Cause = "parents" // all of them have succeeded
	ByHand    Cause = "hand"    // run now
)

// Run is one slot that was decided to run, with its present attempt, as readers see it.
type Run struct {
	Job      string
	ID       string // within the job, as in Record.Run
	Cause    Cause
	Nominal  time.Time // the slot; for other causes when it was made, a millisecond of its own
	Attempt  int       // of the present or next task, from 0
	Failures int       // attempts that have failed
	Parents  []string  // task ids of the parents' attempts that have caused it
	Decided  time.Time
	// NotBefore is when a retry may start.
	NotBefore time.Time

	// The rest is zero while it waits.
	TaskID  sdk.TaskID
	AgentID sdk.AgentID
	Host    string
	State   sdk.TaskState // TASK_STAGING from the commit of its launch record on
	Staged  time.Time
	Started time.Time
	Lost    time.Time // unreachable since
	Stop    due.Stop  // why it is being ended
}

// Outcome of a Record that is no due.Verdict.
const (
	Skipped  = "SKIPPED"
	Returned = "RETURNED" // an attempt that was given up was heard of again
)

// Record is one line of a job's history: an attempt that has ended, or slots that were
// skipped.
type Record struct {
	Seq     uint64 // of the whole history; later is higher
	Job     string
	Run     string
	Cause   Cause
	Nominal time.Time
	Attempt int
	Outcome string    // a due.Verdict, Skipped or Returned
	Reason  string    // for people
	At      time.Time // when it was written
	Again   bool      // another attempt follows
	Parents []string

	// Of an attempt.
	TaskID  sdk.TaskID
	AgentID sdk.AgentID
	Host    string
	State   sdk.TaskState
	Started time.Time // zero: it was never seen running
	Ended   time.Time
	Wait    *int32 // the wait status of its process, as wait(2) gives it; nil: none

	// Of skipped slots: Nominal is the first one.
	Last  time.Time
	Count int64 // -1: more than were counted
}

// Status is a job with what is known of it.
type Status struct {
	Job  *job.Job
	Runs []Run // oldest first

	Successes, Errors, ErrorsSinceSuccess int
	LastSuccess, LastError                time.Time
	Handled                               time.Time // slots up to here are dealt with, or are not the job's; zero: none yet
	Next                                  time.Time // zero: none
	Exhausted                             bool      // its schedule has ended
	// Waits says for people what a run that is due waits for; empty: none waits.
	Waits string
}

package book

import (
	"time"

	"github.com/profferhq/proffer/chronosish/job"
)

// Kind is what a Change wants.
type Kind int

// The kinds of changes.
const (
	Put     Kind = iota + 1 // Jobs, made or replaced
	Delete                  // Names; what runs of them is ended, children inherit
	RunNow                  // Names, each once, whatever else runs or is disabled
	Kill                    // the attempts of Names that go on; they have no successors
	Succeed                 // Names: their children are told of a success
	Switch                  // Names: Disabled of each becomes that of the change, and nothing else of it
)

// Change is something that a client wants changed. It happens whole or not at all: a
// refusal is a *job.Refusal.
type Change struct {
	Kind Kind
	// Jobs are whole, normalised definitions; Created and Version are set here.
	Jobs  []*job.Job
	Names []string
	// Task limits Kill to this attempt.
	Task string
	// Disabled is what Switch makes of the jobs.
	Disabled bool
	// Arguments are the program's for RunNow, instead of the job's own; nil: those.
	Arguments *string
	// IfVersion is what the caller has read: when a job has another version now (0: it
	// must not exist), the change is refused with 409.
	IfVersion map[string]uint64
}

// Outcome is what a change brought about.
type Outcome struct {
	Runs   []Run // that RunNow has made, or Kill ends
	At     time.Time
	Change bool // false: Put found all as it was
}

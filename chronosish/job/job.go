package job

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// Job is one definition with every default filled in. Empty slices are nil, so that
// equal definitions are equal values.
type Job struct {
	Name        string // letters, digits, _, . and -
	Description string
	Owner       string // mail addresses, separated by commas
	OwnerName   string

	Command   string
	Arguments []string
	Shell     bool // Command is a line for /bin/sh -c; else a program, with Arguments as its arguments

	// Schedule is as the client wrote it: ISO 8601 (R5/2026-01-01T00:00:00Z/PT1H) or
	// cron. It is never rewritten: the anchor of a schedule without a start is Created.
	// "" for a job with parents.
	Schedule string
	Zone     string   // scheduleTimeZone; "" is that of Schedule, else UTC
	Parents  []string // sorted, each once; nil for a job with a schedule

	Epsilon       *Duration // how late a slot may start; nil: the latest missed slot runs, however late
	Retries       int       // after the first attempt of a slot
	RetryDelay    Duration  // from the end of an attempt to the next
	LostAfter     Duration  // for how long an attempt's agent may be unreachable until the attempt is LOST
	RetryOnLost   bool      // LOST is a failure like another, and not final
	Concurrent    bool      // a slot may start while a run of another still goes on
	MaxCompletion int       // seconds until a run is killed and counts as failed; 0 is no bound

	CPUs, Mem, Disk float64 // Mem and Disk in MB
	Env             []Variable
	Fetch           []Fetch
	Constraints     []Constraint
	User            string // runAsUser; "" is the agent's default

	Disabled     bool // no slot starts, and its parents do not start it; run now does, and what has begun goes on
	SoftError    bool // for its children, failing after all retries is a success
	HighPriority bool // launched before others that wait

	// Told by whoever accepts the definition.
	Created time.Time // when this schedule was accepted; milliseconds, UTC
	Version uint64    // of the definition; each change has a higher one
}

// Variable is one environment variable.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Fetch is one artefact that is brought into the sandbox before the start.
type Fetch struct {
	URI        string // http, https, file or data
	Executable bool
	Cache      bool
	Extract    bool
	OutputFile string // below the sandbox; "" is the last part of the URI
}

// Operator is how a constraint compares.
type Operator string

// The operators; all compare the whole of an attribute's text.
const (
	Equals Operator = "EQUALS"
	Like   Operator = "LIKE"   // matches the expression
	Unlike Operator = "UNLIKE" // is there and does not match
)

// Constraint restricts on which agents a job may run.
type Constraint struct {
	Attribute string // "hostname", or the name of an attribute
	Operator  Operator
	Value     string
}

// Dependent tells whether the job starts after its parents, and by no schedule.
func (j *Job) Dependent() bool { return len(j.Parents) > 0 }

// Window is how late a slot may start, and whether there is such a bound at all.
func (j *Job) Window() (time.Duration, bool) {
	if j.Epsilon == nil {
		return 0, false
	}
	return j.Epsilon.Length, true
}

// Attempts is how often one slot is tried at most.
func (j *Job) Attempts() int { return j.Retries + 1 }

// MaxCompletionTime is how long a run may take; 0 is for ever.
func (j *Job) MaxCompletionTime() time.Duration {
	return time.Duration(j.MaxCompletion) * time.Second
}

// Program is what an attempt runs: a line for /bin/sh -c, or with shell false a program
// and its arguments. instead takes the place of the job's own arguments where it is not
// nil (run now with ?arguments=). As in Chronos, arguments follow a line of the shell,
// without their semicolons.
func (j *Job) Program(instead *string) (shell bool, command string, arguments []string) {
	if !j.Shell {
		if instead != nil {
			return false, j.Command, strings.Fields(*instead)
		}
		return false, j.Command, slices.Clone(j.Arguments)
	}
	tail := strings.Join(j.Arguments, " ")
	if instead != nil {
		tail = *instead
	}
	if tail = strings.ReplaceAll(tail, ";", ""); tail == "" {
		return true, j.Command, nil
	}
	return true, j.Command + " " + tail, nil
}

// Clone is a copy that shares nothing that can be changed.
func (j *Job) Clone() *Job {
	c := *j
	c.Arguments, c.Parents, c.Env = slices.Clone(j.Arguments), slices.Clone(j.Parents), slices.Clone(j.Env)
	c.Fetch, c.Constraints = slices.Clone(j.Fetch), slices.Clone(j.Constraints)
	if j.Epsilon != nil {
		e := *j.Epsilon
		c.Epsilon = &e
	}
	return &c
}

// Same tells whether two definitions say the same: all but Created and Version is equal,
// and where the schedule starts now, it is the same now.
func (j *Job) Same(k *Job) bool {
	x, y := *j, *k
	x.Created, x.Version, y.Created, y.Version = time.Time{}, 0, time.Time{}, 0
	return reflect.DeepEqual(x, y) && (!j.StartsNow() || j.Created.Equal(k.Created))
}

// Continues tells whether the job goes on by the schedule of was: then what was has
// handled stays handled, and it keeps was's Created. One that starts now begins anew
// each time that it is sent; whoever means the old one gives it its Created.
func (j *Job) Continues(was *Job) bool {
	return j.Schedule != "" && j.Schedule == was.Schedule && j.Zone == was.Zone && (!j.StartsNow() || j.Created.Equal(was.Created))
}

// StartsNow tells whether the schedule has an empty start, which is when it is accepted.
func (j *Job) StartsNow() bool { return strings.Contains(j.Schedule, "//") }

package ledger

import (
	"cmp"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

type taskKey struct {
	framework sdk.FrameworkID
	task      sdk.TaskID
}

// framework is one of which something is here.
type framework struct {
	info      *sdk.FrameworkInfo // replaced, never changed
	gone      bool               // removed: nobody acknowledges
	executors []*executor        // in order of admission
	tasks     int                // in Ledger.tasks
}

// phase of a task. It only grows.
type phase uint8

const (
	staged   phase = iota // its container is being prepared, or its executor is not there
	prepared              // its container stands
	sent                  // its executor was told
	ending                // its container is being emptied; final says how it ended
	ended                 // its terminal state is in the books
)

type task struct {
	key        taskKey
	fw         *framework
	executor   *executor // nil when refused
	executorID sdk.ExecutorID
	info       *sdk.TaskInfo
	container  string // empty inside of a custom executor, and when refused
	group      string
	users      []string
	principal  string
	refused    bool
	boot       string // of the machine when it was admitted
	seq        uint64

	phase    phase
	restored bool // admitted by an earlier run of the agent: whether its executor was told is not known
	spec     *sdk.LaunchSpec
	note     string
	process  *sdk.Process
	kill     *KillRecord
	forceAt  time.Time // when the agent uses force; zero for never
	goneAt   time.Time // when its process was seen to be gone; zero for never

	final  *sdk.TaskStatus // while ending
	limit  *Limit          // told while it ran
	answer [][]byte        // updates to be acknowledged to the executor when ended

	last     *sdk.TaskStatus // newest in the books, nil for none
	queue    []*sdk.TaskStatus
	seen     [][]byte // the newest few update ids, to know what is sent again
	resendAt time.Time
	backoff  time.Duration
}

type executorPhase uint8

const (
	starting executorPhase = iota // being started, or retried at retryAt
	running                       // its process lives
	leaving                       // its container is being emptied
)

type executor struct {
	info      *sdk.ExecutorInfo // with framework_id
	fw        *framework
	container string
	def       bool // the agent's own program
	users     []string
	seq       uint64

	phase    executorPhase
	process  *sdk.Process
	conn     uint64
	retired  bool      // its launcher died: no new task
	closing  bool      // was told to end
	deadline time.Time // to subscribe, or when closing to end; zero for none
	late     sdk.Reason
	retryAt  time.Time
	failures int // starts in a row that did not lead to SUBSCRIBE
	idleAt   time.Time
	exit     *ExecutorExited
	tasks    map[*task]struct{} // not ended
}

// builtin says that nobody but this agent knows of the executor.
func (x *executor) builtin() bool { return x.def && x.info.Type == "" }

func (x *executor) id() sdk.ExecutorID { return x.info.ExecutorID }

// sorted is a set of tasks in order of admission.
func sorted(set map[*task]struct{}) []*task {
	out := make([]*task, 0, len(set))
	for t := range set {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *task) int { return cmp.Compare(a.seq, b.seq) })
	return out
}

// sortedFrameworks is all frameworks in order of their ids.
func (l *Ledger) sortedFrameworks() []*framework {
	out := make([]*framework, 0, len(l.frameworks))
	for _, f := range l.frameworks {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *framework) int { return cmp.Compare(a.info.ID, b.info.ID) })
	return out
}

// sortedTasks is all tasks in order of admission.
func (l *Ledger) sortedTasks() []*task {
	out := make([]*task, 0, len(l.tasks))
	for _, t := range l.tasks {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *task) int { return cmp.Compare(a.seq, b.seq) })
	return out
}

func (f *framework) executor(id sdk.ExecutorID) *executor {
	for _, x := range f.executors {
		if x.info.ExecutorID == id {
			return x
		}
	}
	return nil
}

func (l *Ledger) executor(f sdk.FrameworkID, id sdk.ExecutorID) *executor {
	if fw := l.frameworks[f]; fw != nil {
		return fw.executor(id)
	}
	return nil
}

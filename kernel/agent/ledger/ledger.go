package ledger

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// Options are the bounds of the ledger's waits.
type Options struct {
	// Seed makes container ids and update ids unique: 16 hexadecimal digits that no
	// other start of any agent has.
	Seed string
	// Agent is how executors see the agent; ids and resources are filled in.
	Agent sdk.AgentInfo
	// IP is told in container statuses.
	IP string

	IdleExecutor      time.Duration // a default executor without tasks ends after this
	RegisterTimeout   time.Duration // an executor must subscribe so soon after its start
	ReregisterTimeout time.Duration // and so soon after the agent's own restart
	RestartPause      time.Duration // before a default executor that failed is started again, doubled each time
	KillMargin        time.Duration // what an executor gets on top of a grace period before the agent uses force
	ShutdownGrace     time.Duration // of executors that name none
	KillGrace         time.Duration // of tasks that name none
	ResendMin         time.Duration // an update without acknowledgement is sent again after this, doubled each time
	ResendMax         time.Duration
	TombstoneAge      time.Duration
	TombstoneMax      int
}

// DefaultOptions are those of the README's table; Seed is left to the caller.
func DefaultOptions() Options {
	return Options{
		IP:                "127.0.0.1",
		IdleExecutor:      30 * time.Second,
		RegisterTimeout:   time.Minute,
		ReregisterTimeout: 15 * time.Second,
		RestartPause:      200 * time.Millisecond,
		KillMargin:        5 * time.Second,
		ShutdownGrace:     5 * time.Second,
		KillGrace:         5 * time.Second,
		ResendMin:         10 * time.Second,
		ResendMax:         10 * time.Minute,
		TombstoneAge:      24 * time.Hour,
		TombstoneMax:      1_000_000,
	}
}

// Ledger is the agent's mind. The zero value is not usable; see New.
type Ledger struct {
	o   Options
	now time.Time

	// Durable: changed by apply alone.
	agent      sdk.AgentID
	nonce      string // link.Register.Nonce; empty once there is an id
	boot       string
	holed      int64 // when a part of the checkpoint was found to be lost; 0 for never
	fence      link.Fence
	frameworks map[sdk.FrameworkID]*framework
	tasks      map[taskKey]*task
	tombs      tombs
	used       sdk.Resources
	seq        uint64 // of admissions, for an order that maps do not have

	// Of this run.
	restoring  bool
	total      sdk.Resources
	attributes []sdk.Attribute
	overhead   sdk.Resources
	stream     uint64 // the newest link stream, 0 when none is open
	registered bool   // REGISTERED came down it
	stopping   bool
	retired    bool
	taskAt     map[string]*task     // by container
	executorAt map[string]*executor // by container
	conns      map[uint64]*executor
	waiting    map[*task]struct{} // those with an update that is not acknowledged
	killing    map[*task]struct{} // those with a deadline
	ids        uint64             // counts what Seed makes unique

	ready Ready
	late  []Record // see plantAckBeforeStore
}

// Ready is what came of the Steps since the last one was taken.
type Ready struct {
	Records []Record // to be durable before any of Effects is performed
	Effects []Effect
}

// New makes an empty ledger.
func New(o Options) *Ledger {
	return &Ledger{
		o:          o,
		frameworks: map[sdk.FrameworkID]*framework{},
		tasks:      map[taskKey]*task{},
		tombs:      newTombs(),
		restoring:  true,
		taskAt:     map[string]*task{},
		executorAt: map[string]*executor{},
		conns:      map[uint64]*executor{},
		waiting:    map[*task]struct{}{},
		killing:    map[*task]struct{}{},
	}
}

// Restore replays a record of the checkpoint. All come before the first Step.
func (l *Ledger) Restore(r *Record) error {
	if !l.restoring {
		return sdk.Errorf(sdk.CodeInternal, "", "a record was restored after the recovery had ended")
	}
	l.now = time.Unix(0, r.At).UTC()
	return l.apply(r)
}

// Holed says, between Restore and the first Step, that records are lost: for as long as
// tombstones are kept nothing is said to have never been here. It is an error when who the
// agent is is among what is lost.
func (l *Ledger) Holed(now time.Time) error {
	// With a nonce and nothing of any framework it had no id yet, or needs its old one for nothing.
	if l.agent == "" && (l.nonce == "" || len(l.frameworks) > 0) {
		return sdk.Errorf(sdk.CodeInternal, "", "the agent's id is among what is lost; move the file away to start as a new agent, and mark the old one gone")
	}
	l.holed = now.UnixNano()
	for _, t := range l.sortedTasks() {
		if t.phase != ended && (t.refused || t.fw.executor(t.executorID) != t.executor) {
			// Its end is lost: of what it held nothing is here that could end. The next
			// registration does not list it, and so its framework hears of it.
			l.applyTerminal(t)
			delete(l.waiting, t)
			delete(l.tasks, t.key)
			t.fw.tasks--
			l.dropFramework(t.fw)
		}
	}
	return nil
}

// Step learns one fact. now never goes back in what callers may expect; when it
// does, waits only become longer.
func (l *Ledger) Step(now time.Time, in Input) {
	l.now = now.UTC()
	if len(l.late) > 0 {
		l.ready.Records = append(l.ready.Records, l.late...)
		l.late = nil
	}
	switch in := in.(type) {
	case Recovered:
		l.recovered(in)
	case Totals:
		l.totals(in)
	case Opened:
		l.stream, l.registered = in.Stream, false
	case Closed:
		if in.Stream == l.stream {
			l.stream, l.registered = 0, false
		}
	case FromMaster:
		l.fromMaster(in)
	case FromExecutor:
		l.fromExecutor(in)
	case ExecutorClosed:
		l.executorClosed(in)
	case ExecutorStarted:
		l.executorStarted(in)
	case ExecutorExited:
		l.executorExited(in)
	case Parents:
		l.parents(in)
	case Prepared:
		l.prepared(in)
	case PrepareFailed:
		l.prepareFailed(in)
	case Emptied:
		l.emptied(in)
	case LimitReached:
		l.limitReached(in)
	case Vanished:
		l.vanished(in)
	case StopAll:
		l.stopAll()
	case Tick:
		l.tick()
	}
}

// Ready takes what came of the Steps since the last call. The caller owns it.
func (l *Ledger) Ready() Ready {
	r := l.ready
	l.ready = Ready{}
	return r
}

// commit makes a fact durable: it is handed out to be stored, and holds at once.
func (l *Ledger) commit(r Record) {
	r.At = l.now.UnixNano()
	if err := l.apply(&r); err != nil {
		// A record that this very code made and cannot apply is a broken invariant.
		panic(fmt.Sprintf("ledger: %v", err))
	}
	if plantAckBeforeStore && r.Update != nil {
		l.late = append(l.late, r)
		return
	}
	l.ready.Records = append(l.ready.Records, r)
}

func (l *Ledger) do(e Effect) { l.ready.Effects = append(l.ready.Effects, e) }

func (l *Ledger) note(key, format string, args ...any) {
	l.do(Note{Message: fmt.Sprintf(format, args...), Key: key})
}

// send posts a call to the master when there is one.
func (l *Ledger) send(c *link.Call) {
	if !l.registered {
		return
	}
	c.Version, c.AgentID = link.Version, l.agent
	l.do(SendMaster{Stream: l.stream, Call: c})
}

// newContainer makes a container id that no other container ever has.
func (l *Ledger) newContainer() string {
	l.ids++
	return fmt.Sprintf("%s-%d", l.o.Seed, l.ids)
}

// newUUID makes the 16 bytes that name an update: the seed and a counter.
func (l *Ledger) newUUID() []byte {
	l.ids++
	u := make([]byte, 16)
	for i := 0; i < 8 && 2*i+1 < len(l.o.Seed); i++ {
		u[i] = unhex(l.o.Seed[2*i])<<4 | unhex(l.o.Seed[2*i+1])
	}
	for i := range 8 {
		u[15-i] = byte(l.ids >> (8 * i))
	}
	return u
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 0
}

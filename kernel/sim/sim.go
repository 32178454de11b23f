package sim

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Options choose a run.
type Options struct {
	Seed       uint64
	Length     time.Duration // of virtual time with faults; the time to come to rest comes on top
	Agents     int
	Schedulers int
	Masters    int
	Frameworks []Framework
	SpaceLimit uint64            // bytes of a space of the store; 0: the default
	CheckEvery int               // the books are looked at after so many steps that changed something
	Watch      func(line string) // sees all that happens; may be nil
}

// DefaultOptions are those of the tests, an hour long.
func DefaultOptions(seed uint64) Options {
	return Options{Seed: seed, Length: time.Hour, Agents: 4, Schedulers: 3, Masters: 3, CheckEvery: 1}
}

// Result is what a run came to.
type Result struct {
	Trace      uint64 // digest of all that happened
	Steps      int
	Operations int // calls of schedulers and agents
	Faults     int
	Launched   int
	Started    int // processes
	Ended      int // tasks whose scheduler knows their end
	Err        error
	Last       []string // what happened last, oldest first
}

// restTime is how long the cluster has to come to rest when the faults stop: two
// of the longest pauses between two sendings of an update, and more. From restSoon on it
// is looked at whether it has already.
const (
	restTime = 30 * time.Minute
	restSoon = 8 * time.Minute
	restLook = 4 * time.Minute
)

// mostAtOnce bounds what happens at one moment: beyond it time stands still.
const mostAtOnce = 100_000

// world is one run.
type world struct {
	opt    Options
	rng    *rand.Rand
	now    time.Time
	start  time.Time
	queue  events
	result Result
	digest uint64
	last   []moment
	atOnce int  // events at this very moment
	calm   bool // no more faults and launches
	rests  bool // all has come to rest

	net          network
	first        snapshot // what masters without a disk begin with
	masters      []*master
	former       []*master // of a cluster that was replaced, as far as they go on
	reigns       map[[2]uint64]string
	committed    map[uint64]*entry
	observed     uint64              // index of the newest entry that was looked at
	acknowledged uint64              // newest revision of the store that a client knows of
	images       map[uint64]snapshot // what the first master had at an index
	sessions     int

	machines   []*machine
	schedulers []*scheduler
	programs   []*program
	truth      truth
}

// Run makes one run.
func Run(opt Options) Result {
	w := &world{
		opt:   opt,
		rng:   rand.New(rand.NewPCG(opt.Seed, 0x9E3779B97F4A7C15)),
		now:   time.Unix(1_700_000_000, 0).UTC(),
		truth: newTruth(), digest: fnvOffset,

		reigns: map[[2]uint64]string{}, committed: map[uint64]*entry{}, images: map[uint64]snapshot{},
	}
	w.start = w.now
	w.net = network{w: w, cuts: map[[2]string]time.Time{}}
	w.bootstrap()
	for i := range opt.Agents {
		w.machines = append(w.machines, newMachine(w, i))
	}
	for i := range opt.Schedulers {
		w.schedulers = append(w.schedulers, newScheduler(w, i))
	}
	for _, f := range opt.Frameworks {
		w.programs = append(w.programs, newProgram(w, f))
	}
	w.planFaults()
	w.at(opt.Length, "calm", w.heal)
	for at := restSoon; at < restTime; at += restLook {
		w.at(opt.Length+at, "a look", w.lookForRest)
	}
	w.run(w.start.Add(opt.Length + restTime))
	if w.result.Err == nil && !w.rests {
		w.atRest()
	}
	w.result.Trace = w.digest
	for _, m := range w.last {
		w.result.Last = append(w.result.Last, m.String())
	}
	return w.result
}

// run lets things happen until the end, or until something is wrong.
func (w *world) run(end time.Time) {
	for w.result.Err == nil && !w.rests {
		e, ok := w.queue.pop(end)
		if !ok {
			return
		}
		if w.atOnce++; e.at.After(w.now) {
			w.atOnce = 0
		}
		if w.now = e.at; w.atOnce > mostAtOnce {
			w.fail("%d things happen at one moment, the last is: %s", w.atOnce, e.what)
		}
		w.result.Steps++
		w.record(e.what)
		e.do()
	}
}

// lookForRest ends the run when nothing is left to be done.
func (w *world) lookForRest() {
	w.atRest()
	w.rests = w.result.Err == nil
	w.result.Err = nil
}

// fail ends the run with a broken promise.
func (w *world) fail(format string, args ...any) {
	if w.result.Err == nil {
		w.result.Err = fmt.Errorf("after %v: "+format, append([]any{w.now.Sub(w.start)}, args...)...)
	}
}

// after does something when some time has passed.
func (w *world) after(d time.Duration, what string, do func()) {
	w.queue.add(w.now.Add(d), what, do)
}

// at does something at a moment counted from the start.
func (w *world) at(d time.Duration, what string, do func()) {
	w.queue.add(w.start.Add(d), what, do)
}

// between is a random time.
func (w *world) between(low, high time.Duration) time.Duration {
	return low + time.Duration(w.rng.Int64N(int64(high-low)+1))
}

// chance is true so many times of a hundred.
func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

func (w *world) session(kind string) string {
	w.sessions++
	return fmt.Sprintf("%s-%d", kind, w.sessions)
}

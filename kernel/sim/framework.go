package sim

import (
	"math/rand/v2"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// Framework is a framework whose mind runs in the simulated cluster: on the simulated
// store, with its leases and guards, in several instances that crash. One value is one
// run's. What it returns as an error is a broken promise, and ends the run.
type Framework interface {
	// Name is the framework's, and that of its principal and space.
	Name() string
	// Load makes a mind of what the store has. seed is a new one each time.
	Load(now time.Time, seed uint64, kvs []sdk.StoreKV) (mind.Mind, error)
	// Ask is what a user wants of the mind that leads; nil for nothing. Each request has a
	// number that no other has. In calm times users want nothing more that disturbs.
	Ask(r *rand.Rand, number uint64, m mind.Mind, calm bool) mind.Input
	// Answered is the answer to a request, where it has reached the user.
	Answered(a mind.Answer) error
	// Stored sees each transaction of the space once, in the order of the log.
	Stored(changes []sdk.StoreChange) error
	// Told sees each status that an instance gets.
	Told(status *sdk.TaskStatus) error
	// Said sees what an instance has to say to operators.
	Said(e mind.Log)
	// Started sees the start of a task's process, beside those of the framework that run.
	Started(task sdk.TaskID, running []sdk.TaskID) error
	// Life is how long a task runs by itself; 0: until it is killed.
	Life(r *rand.Rand, task sdk.TaskID, calm bool) time.Duration
	// Rest looks at what there is when nothing has gone wrong for a long time.
	Rest(now time.Time, m mind.Mind, running []sdk.TaskID) error
}

// program is one Framework with its instances.
type program struct {
	w         *world
	f         Framework
	instances []*instance
	asked     uint64
	heard     map[sdk.TaskID]int // updates that came to some instance
	kept      map[string]stored  // what the store has of each key
	limit     uint64             // of the space in bytes; 0: as ever
	narrows   int                // counts the times when there was a limit
}

const instancesOfEach = 2

func newProgram(w *world, f Framework) *program {
	p := &program{w: w, f: f, heard: map[sdk.TaskID]int{}, kept: map[string]stored{}}
	for i := range instancesOfEach {
		p.instances = append(p.instances, newInstance(p, i))
	}
	p.wish()
	return p
}

// wish has users want something now and then. Whom they ask believes to lead, which
// may be wrong.
func (p *program) wish() {
	low, high := time.Second, 12*time.Second
	if p.w.calm {
		low = 6 * time.Second
	}
	p.w.after(p.w.between(low, high), "a user of "+p.f.Name(), func() {
		i := p.instances[p.w.rng.IntN(len(p.instances))]
		if i.up && i.mind != nil {
			p.asked++
			if in := p.f.Ask(p.w.rng, p.asked, i.mind, p.w.calm); in != nil {
				p.w.result.Operations++
				i.push(in)
			}
		}
		p.wish()
	})
}

// programOf is the one of that framework; nil for a generated one's.
func (w *world) programOf(id sdk.FrameworkID) *program {
	for _, p := range w.programs {
		for _, i := range p.instances {
			if id != "" && i.info.ID == id {
				return p
			}
		}
	}
	return nil
}

// running are the tasks whose processes live, in order.
func (w *world) running(id sdk.FrameworkID) []sdk.TaskID {
	tasks := map[sdk.TaskID]bool{}
	for _, m := range w.machines {
		for _, p := range m.processes {
			if p.alive && p.framework == id {
				tasks[p.task.TaskID] = true
			}
		}
	}
	return sortedKeys(tasks)
}

// check ends the run for what a framework found.
func (p *program) check(err error) {
	if err != nil {
		p.w.fail("%s: %v", p.f.Name(), err)
	}
}

// atRest looks at the mind that leads.
func (p *program) atRest() {
	var leads *instance
	for _, i := range p.instances {
		if i.mind != nil {
			if leads != nil {
				p.w.fail("two instances of %s lead", p.f.Name())
			}
			leads = i
		}
	}
	if leads == nil {
		p.w.fail("no instance of %s leads", p.f.Name())
		return
	}
	p.check(p.f.Rest(leads.clock.now(), leads.mind, p.w.running(leads.info.ID)))
}

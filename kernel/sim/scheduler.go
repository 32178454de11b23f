package sim

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/sdk"
)

// scheduler is a generated framework: what it has stored survives its crashes.
type scheduler struct {
	subscriber
	mortal   bool // goes away for good now and then, and comes as another
	launches int

	// Stored.
	tasks map[sdk.TaskID]*record
	open  map[sdk.TaskID]*record // those of tasks whose end is not known
}

// record is what a scheduler stores about a task, before it launches it.
type record struct {
	id       sdk.TaskID
	agent    sdk.AgentID
	heard    []string // update ids in the order in which they first came
	state    sdk.TaskState
	over     bool // its end is known
	lost     bool // over is only what its master believes
	reused   bool // its id was used again, against the rules
	launched time.Time
}

func newScheduler(w *world, i int) *scheduler {
	s := &scheduler{mortal: i == 0}
	s.subscriber = subscriber{w: w, name: fmt.Sprintf("scheduler %d", i), event: s.handle}
	s.fresh()
	w.after(w.between(0, 2*time.Second), s.name+" starts", s.begin)
	return s
}

// fresh makes it another framework. Not all understand partitions.
func (s *scheduler) fresh() {
	s.info = sdk.FrameworkInfo{Name: s.name, User: "nobody", FailoverTimeout: 3600, Checkpoint: true, Role: fmt.Sprintf("role%d", s.w.rng.IntN(2))}
	if s.aware() {
		s.info.Capabilities = []sdk.FrameworkCapability{{Type: sdk.CapabilityPartitionAware}}
	}
	if s.mortal {
		s.info.FailoverTimeout = 20
	}
	s.tasks, s.open = map[sdk.TaskID]*record{}, map[sdk.TaskID]*record{}
}

// aware tells whether it opts into PARTITION_AWARE.
func (s *scheduler) aware() bool { return s.name != "scheduler 1" }

func (s *scheduler) begin() {
	if s.up {
		return
	}
	s.start()
	s.connectSoon(0)
	s.every(30*time.Second, "reconciles", s.reconcile)
	s.every(7*time.Second, "thinks", s.think)
}

// post brings a call to the leader: late, twice, out of order or not at all.
func (s *scheduler) post(call *sdk.Call) {
	w, l, session := s.w, s.leader, s.session
	if !s.subscribed {
		return
	}
	call.FrameworkID = s.info.ID
	times := 1
	if !w.calm && w.chance(2) {
		times = 2
	}
	for range times {
		if !w.calm && w.chance(2) {
			w.note("a call of %s gets lost: %s", s.name, call.Type)
			continue
		}
		c := clone(w, call)
		late := w.between(time.Millisecond, 30*time.Millisecond)
		if w.chance(5) {
			late = w.between(50*time.Millisecond, 2*time.Second)
		}
		w.after(late, s.name+" calls "+string(c.Type)+showAccept(c), func() {
			if w.net.reaches(s.name, l.m.name) {
				w.result.Operations++
				l.step(cluster.SchedulerCall{Session: session, Call: c})
			}
		})
	}
}

func (s *scheduler) handle(e *sdk.Event) {
	switch e.Type {
	case sdk.EventSubscribed:
		if s.info.ID != "" && s.info.ID != e.Subscribed.FrameworkID {
			s.w.fail("%s is %s and was subscribed as %s", s.name, s.info.ID, e.Subscribed.FrameworkID)
		}
		s.info.ID = e.Subscribed.FrameworkID
		s.reconcile()
	case sdk.EventOffers:
		for i := range e.Offers.Offers {
			o := &e.Offers.Offers[i]
			s.soon(0, 2*time.Second, "answers "+string(o.ID), func() { s.answer(o) })
		}
	case sdk.EventUpdate:
		s.update(&e.Update.Status)
	case sdk.EventError:
		s.w.note("%s was told: %s", s.name, e.Error.Message)
		if e.Error.Message == "Framework has been removed" {
			if !s.mortal {
				s.w.fail("%s was removed", s.name)
			}
			s.fresh()
		}
	}
}

// answer accepts or declines an offer.
func (s *scheduler) answer(o *sdk.Offer) {
	w := s.w
	switch {
	case w.chance(4):
		return // never answered: it times out
	case w.calm || w.chance(30):
		refuse := []float64{0, 1, 5, 20}[w.rng.IntN(4)]
		if w.calm {
			refuse = 600
		}
		s.post(&sdk.Call{Type: sdk.CallDecline, Decline: &sdk.Decline{OfferIDs: []sdk.OfferID{o.ID}, Filters: &sdk.Filters{RefuseSeconds: &refuse}}})
		return
	}
	refuse := float64(w.rng.IntN(3))
	accept := &sdk.Accept{OfferIDs: []sdk.OfferID{o.ID}, Filters: &sdk.Filters{RefuseSeconds: &refuse}}
	if w.chance(12) {
		accept.Operations = append(accept.Operations, s.group(o))
	} else {
		accept.Operations = append(accept.Operations, s.launch(o))
	}
	s.post(&sdk.Call{Type: sdk.CallAccept, Accept: accept})
}

// task stores a record, and then is launched.
func (s *scheduler) task(o *sdk.Offer) sdk.TaskInfo {
	s.launches++
	s.w.result.Launched++
	id := sdk.TaskID(fmt.Sprintf("%s-%d", s.name[len(s.name)-1:], s.launches))
	r := &record{id: id, agent: o.AgentID, launched: s.w.now}
	if s.w.chance(3) { // an id again that has ended on this agent
		for _, old := range sortedKeys(s.tasks) {
			if t := s.tasks[old]; t.over && t.agent == o.AgentID && s.w.chance(30) {
				id, r = old, t
				r.reused = true
				break
			}
		}
	}
	if s.tasks[id] = r; !r.over {
		s.open[id] = r
	}
	return sdk.TaskInfo{Name: string(id), TaskID: id, AgentID: o.AgentID, Resources: s.needs()}
}

// needs is what a task is to have.
func (s *scheduler) needs() sdk.Resources {
	return sdk.Resources{sdk.NewScalar("cpus", float64(1+s.w.rng.IntN(10))/10), sdk.NewScalar("mem", float64(16*(1+s.w.rng.IntN(6))))}
}

func (s *scheduler) launch(o *sdk.Offer) sdk.Operation {
	op := sdk.Operation{Type: sdk.OperationLaunch, Launch: &sdk.Launch{}}
	var custom *sdk.ExecutorInfo
	if s.w.chance(25) {
		custom = &sdk.ExecutorInfo{ExecutorID: sdk.ExecutorID(fmt.Sprintf("x%d", s.w.rng.IntN(2))), Command: &sdk.CommandInfo{Value: "executor"},
			Resources: sdk.Resources{sdk.NewScalar("cpus", 0.1), sdk.NewScalar("mem", 32)}}
	}
	left := sdk.Resources(o.Resources).WithoutAllocation()
	for range 1 + s.w.rng.IntN(4) {
		needs := s.needs()
		if !left.Contains(needs) && s.w.chance(97) {
			continue
		}
		left = left.Subtract(needs)
		t := s.task(o)
		t.Resources = needs
		if custom != nil {
			x := *custom
			t.Executor = &x
		} else {
			t.Command = &sdk.CommandInfo{Value: "sleep"}
		}
		op.Launch.TaskInfos = append(op.Launch.TaskInfos, t)
	}
	return op
}

func (s *scheduler) group(o *sdk.Offer) sdk.Operation {
	op := sdk.Operation{Type: sdk.OperationLaunchGroup, LaunchGroup: &sdk.LaunchGroup{Executor: sdk.ExecutorInfo{
		Type: sdk.ExecutorDefault, FrameworkID: s.info.ID, ExecutorID: sdk.ExecutorID(fmt.Sprintf("pod%d", s.launches)),
		Resources: sdk.Resources{sdk.NewScalar("cpus", 0.1), sdk.NewScalar("mem", 32), sdk.NewScalar("disk", 10)},
	}}}
	for range 2 {
		t := s.task(o)
		t.Command = &sdk.CommandInfo{Value: "sleep"}
		op.LaunchGroup.TaskGroup.Tasks = append(op.LaunchGroup.TaskGroup.Tasks, t)
	}
	return op
}

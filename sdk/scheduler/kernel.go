package scheduler

import (
	"context"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
	"github.com/profferhq/proffer/sdk/store"
)

// handle puts an event of the kernel into the queue. A new framework's id is in the
// store before anything is done under it.
func (s *Scheduler[M]) handle(ctx context.Context, e *sdk.Event) error {
	switch {
	case e.Subscribed != nil:
		id := e.Subscribed.FrameworkID
		if err := s.write(ctx, []store.Op{store.Put(keyFramework, []byte(id))}); err != nil {
			return err
		}
		s.Push(mind.Subscribed{FrameworkID: id, Master: s.kernel.Leader()})
	case e.Offers != nil:
		s.Push(mind.Offers{Offers: e.Offers.Offers})
	case e.Rescind != nil:
		s.Push(mind.Rescinded{Offer: e.Rescind.OfferID})
	case e.Update != nil:
		s.Push(mind.Update{Status: e.Update.Status})
	case e.Failure != nil && e.Failure.ExecutorID == "":
		s.Push(mind.AgentFailed{Agent: e.Failure.AgentID})
	}
	return nil
}

// call makes the call to the kernel that an effect stands for; false: it is none.
func (s *Scheduler[M]) call(e mind.Effect) (bool, error) {
	switch e := e.(type) {
	case mind.Accept:
		return true, s.accept(e)
	case mind.Decline:
		return true, s.decline(e)
	case mind.Suppress:
		return true, s.kernel.Suppress(s.roles(e.Role)...)
	case mind.Revive:
		return true, s.kernel.Revive(s.roles(e.Role)...)
	case mind.Kill:
		s.metrics.kills.Inc()
		return true, s.kernel.Kill(e.Task, e.Agent, 0)
	case mind.Reconcile:
		return true, s.kernel.Reconcile(e.Tasks...)
	case mind.Acknowledge:
		return true, s.kernel.Acknowledge(e.Status)
	}
	return false, nil
}

// roles are those that a Suppress or Revive means.
func (s *Scheduler[M]) roles(one string) []string {
	if one == "" {
		return s.opts.Roles
	}
	return []string{one}
}

func (s *Scheduler[M]) accept(e mind.Accept) error {
	seconds := e.Refuse.Seconds()
	s.metrics.launches.Add(float64(len(e.Tasks)))
	err := s.kernel.Accept(&sdk.Accept{
		OfferIDs:   []sdk.OfferID{e.Offer},
		Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: e.Tasks}}},
		Filters:    &sdk.Filters{RefuseSeconds: &seconds},
	})
	if err != nil {
		s.lost(e.Tasks)
	}
	return err
}

func (s *Scheduler[M]) decline(e mind.Decline) error {
	seconds := e.Refuse.Seconds()
	return s.kernel.Send(sdk.Call{Type: sdk.CallDecline, Decline: &sdk.Decline{OfferIDs: e.Offers, Filters: &sdk.Filters{RefuseSeconds: &seconds}}})
}

// refused hears of calls that were not taken. Launches among them are in doubt.
func (s *Scheduler[M]) refused(calls []sdk.Call, err error) {
	for _, call := range calls {
		s.log.Warn("a call was not taken", "type", call.Type, "error", err)
		if call.Accept == nil {
			continue
		}
		for _, op := range call.Accept.Operations {
			if op.Launch != nil {
				s.lost(op.Launch.TaskInfos)
			}
		}
	}
}

func (s *Scheduler[M]) lost(tasks []sdk.TaskInfo) {
	var in mind.Lost
	for i := range tasks {
		in.Tasks = append(in.Tasks, tasks[i].TaskID)
	}
	s.Push(in)
}

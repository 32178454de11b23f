package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/store"
)

// scheduler runs all mappers, then all reducers.
type scheduler struct {
	f       *framework.Framework
	p       *progress
	keep    bool   // the results, for the next life
	jobs    []*job // mappers first
	mappers int
	hosts   map[sdk.AgentID]string
	mapped  map[sdk.AgentID]int // mappers that were launched there
	retried int
}

func newScheduler(url string, pieces []piece, c config, p *progress) *scheduler {
	return &scheduler{
		p: p, keep: c.stay, jobs: newJobs(url, pieces, c.reducers, p), mappers: len(pieces),
		hosts: map[sdk.AgentID]string{}, mapped: map[sdk.AgentID]int{},
	}
}

func (s *scheduler) run(ctx context.Context) (err error) {
	if !s.waiting(s.jobs) {
		return nil // an earlier life has done it all
	}
	o := framework.FromEnv("wordcount")
	o.Info.ID, o.Info.FailoverTimeout = s.p.id, 600 // seconds
	if s.f, err = framework.New(o); err != nil {
		return err
	}
	return s.f.Run(ctx, framework.Handlers{Subscribed: s.p.subscribed, Offers: s.offers, Update: s.update}.Handle)
}

func (s *scheduler) waiting(jobs []*job) bool {
	return slices.ContainsFunc(jobs, func(j *job) bool { return !j.done })
}

func (s *scheduler) done() (n int) {
	for _, j := range s.jobs {
		if j.done {
			n++
		}
	}
	return n
}

// phase is what may run now: mappers, and when all are done reducers.
func (s *scheduler) phase() []*job {
	if mappers := s.jobs[:s.mappers]; s.waiting(mappers) {
		return mappers
	}
	return s.jobs[s.mappers:]
}

// offers launches what waits; one agent gets half of the mappers at most, so that
// two take part.
func (s *scheduler) offers(_ context.Context, offers []sdk.Offer) error {
	for _, offer := range offers {
		s.hosts[offer.AgentID] = offer.Hostname
		for _, id := range offer.ExecutorIDs {
			if id != executorID(s.p.life) { // of an earlier life, which holds resources
				if err := s.f.Shutdown(id, offer.AgentID); err != nil {
					return err
				}
			}
		}
		left := sdk.Resources(offer.Resources).WithoutAllocation()
		need := taskNeeds()
		if !slices.Contains(offer.ExecutorIDs, executorID(s.p.life)) {
			left = left.Subtract(executorInfo("", 0).Resources)
		}
		var tasks []sdk.TaskInfo
		for _, j := range s.phase() {
			tooMany := j.Mappers == 0 && s.mapped[offer.AgentID] >= (s.mappers+1)/2 && j.attempt == 0
			if j.task != "" || j.done || tooMany || !left.Contains(need) {
				continue
			}
			left = left.Subtract(need)
			tasks = append(tasks, j.next())
			if j.Mappers == 0 {
				s.mapped[offer.AgentID]++
			}
		}
		var err error
		if len(tasks) == 0 {
			err = s.f.Decline(time.Second, offer)
		} else {
			err = s.f.Launch(offer, tasks...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// update takes a job as done, or gives it back to wait for another offer.
func (s *scheduler) update(ctx context.Context, status sdk.TaskStatus) error {
	i := slices.IndexFunc(s.jobs, func(j *job) bool { return j.task == status.TaskID })
	if i < 0 && (status.State == sdk.TaskRunning || status.State == sdk.TaskStarting) {
		return s.f.Kill(status.TaskID, status.AgentID, 0) // of an earlier life: nobody takes its results
	}
	if i < 0 {
		return nil // of an earlier attempt
	}
	j := s.jobs[i]
	if j.done {
		return nil // told twice
	}
	switch status.State {
	case sdk.TaskRunning:
		fmt.Printf("%s runs on %s\n", status.TaskID, s.hosts[status.AgentID])
		if j.Slow {
			j.Slow = false
			fmt.Printf("%s is killed on purpose\n", status.TaskID)
			return s.f.Kill(status.TaskID, status.AgentID, 0)
		}
	case sdk.TaskFinished:
		j.done = true // its results are in the store: that was answered before it ended
	case sdk.TaskStaging, sdk.TaskStarting, sdk.TaskKilling, sdk.TaskUnreachable:
	default:
		if j.attempt >= 5 {
			return fmt.Errorf("%s failed five times, the last time so: %s %s", j.Name, status.State, status.Message)
		}
		s.retried++
		j.task = ""
		fmt.Printf("%s ended as %s (%s) and is tried again\n", status.TaskID, status.State, status.Message)
	}
	return s.proceed(ctx, j)
}

// proceed says when a phase is over.
func (s *scheduler) proceed(ctx context.Context, last *job) error {
	if s.waiting(s.jobs) {
		if next := s.phase(); last.Mappers == 0 && next[0].Mappers > 0 {
			fmt.Printf("mapped on %d agents, %d tried again\n", len(s.mapped), s.retried)
		}
		if slices.ContainsFunc(s.phase(), func(j *job) bool { return j.task == "" }) {
			return s.f.Revive() // for what was declined a moment ago
		}
		return nil
	}
	fmt.Printf("reduced by %d reducers\n", len(s.jobs)-s.mappers)
	gone := store.Delete("framework") // first: an id that is torn down never comes back
	if !s.keep {
		gone = store.DeletePrefix("")
	}
	if _, err := s.p.commit(ctx, gone); err != nil {
		return err
	}
	return s.f.Teardown(ctx)
}

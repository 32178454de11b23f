package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
)

// job is one mapper or reducer; its data is what the executor gets.
type job struct {
	Name     string // "map-3", "reduce-0"
	URL      string // of the scheduler's own server
	Text     piece  // of a mapper
	Mappers  int    // whose results a reducer adds
	Reducer  int
	Reducers int
	Slow     bool // the mapper that is to be killed waits for it

	attempt int
	task    sdk.TaskID // empty while it waits for an offer
	done    bool
}

// scheduler runs all mappers, then all reducers.
type scheduler struct {
	f       *framework.Framework
	url     string
	jobs    []*job
	mappers int
	hosts   map[sdk.AgentID]string
	mapped  map[sdk.AgentID]int // mappers that were launched there
	retried int
}

func newScheduler(url string, pieces []piece, reducers int) *scheduler {
	s := &scheduler{url: url, mappers: len(pieces), hosts: map[sdk.AgentID]string{}, mapped: map[sdk.AgentID]int{}}
	for i, p := range pieces {
		s.jobs = append(s.jobs, &job{Name: fmt.Sprintf("map-%d", i), URL: url, Text: p, Reducers: reducers, Slow: i == 0})
	}
	for i := range reducers {
		s.jobs = append(s.jobs, &job{Name: fmt.Sprintf("reduce-%d", i), URL: url, Mappers: len(pieces), Reducer: i, Reducers: reducers})
	}
	return s
}

func (s *scheduler) run(ctx context.Context) (err error) {
	o := framework.FromEnv("wordcount")
	o.Info.FailoverTimeout = 10 // seconds: it remembers nothing, so nobody comes back for its tasks
	if s.f, err = framework.New(o); err != nil {
		return err
	}
	return s.f.Run(ctx, framework.Handlers{Offers: s.offers, Update: s.update}.Handle)
}

// phase is what may run now: mappers, and when all are done reducers.
func (s *scheduler) phase() []*job {
	if mappers := s.jobs[:s.mappers]; slices.ContainsFunc(mappers, func(j *job) bool { return !j.done }) {
		return mappers
	}
	return s.jobs[s.mappers:]
}

// offers launches what waits; one agent gets half of the mappers at most, so that
// two take part.
func (s *scheduler) offers(_ context.Context, offers []sdk.Offer) error {
	for _, offer := range offers {
		s.hosts[offer.AgentID] = offer.Hostname
		left := sdk.Resources(offer.Resources).WithoutAllocation()
		need := resources("cpus:0.05;mem:32")
		if !slices.Contains(offer.ExecutorIDs, "wordcount") {
			left = left.Subtract(sdk.Resources(s.executor().Resources))
		}
		var tasks []sdk.TaskInfo
		for _, j := range s.phase() {
			tooMany := j.Mappers == 0 && s.mapped[offer.AgentID] >= (s.mappers+1)/2 && j.attempt == 0
			if j.task != "" || j.done || tooMany || !left.Contains(need) {
				continue
			}
			left = left.Subtract(need)
			tasks = append(tasks, s.task(j, offer, need))
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

func (s *scheduler) task(j *job, offer sdk.Offer, need sdk.Resources) sdk.TaskInfo {
	if j.attempt++; j.Mappers == 0 {
		s.mapped[offer.AgentID]++
	}
	j.task = sdk.TaskID(fmt.Sprintf("%s.%d", j.Name, j.attempt))
	data, _ := json.Marshal(j)
	return sdk.TaskInfo{Name: j.Name, TaskID: j.task, Resources: need, Executor: s.executor(), Data: data}
}

// executor is this program again, fetched from here by each agent.
func (s *scheduler) executor() *sdk.ExecutorInfo {
	return &sdk.ExecutorInfo{
		Type: sdk.ExecutorCustom, ExecutorID: "wordcount", Name: "wordcount", Resources: resources("cpus:0.4;mem:256"),
		Command: &sdk.CommandInfo{
			Value: "./wordcount executor",
			URIs:  []sdk.URI{{Value: s.url + "/wordcount", OutputFile: "wordcount", Executable: true}},
		},
	}
}

// update takes a job as done, or gives it back to wait for another offer.
func (s *scheduler) update(ctx context.Context, status sdk.TaskStatus) error {
	i := slices.IndexFunc(s.jobs, func(j *job) bool { return j.task == status.TaskID })
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
		j.done = true
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
	if slices.ContainsFunc(s.jobs, func(j *job) bool { return !j.done }) {
		if next := s.phase(); last.Mappers == 0 && next[0].Mappers > 0 {
			fmt.Printf("mapped on %d agents, %d tried again\n", len(s.mapped), s.retried)
		}
		if slices.ContainsFunc(s.phase(), func(j *job) bool { return j.task == "" }) {
			return s.f.Revive() // for what was declined a moment ago
		}
		return nil
	}
	fmt.Printf("reduced by %d reducers\n", len(s.jobs)-s.mappers)
	return s.f.Teardown(ctx)
}

func resources(text string) sdk.Resources {
	r, err := sdk.ParseResources(text)
	if err != nil {
		panic(err)
	}
	return r
}

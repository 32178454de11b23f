package main

import (
	"encoding/json"
	"fmt"

	"github.com/profferhq/proffer/sdk"
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

	life    int        // of the scheduler
	attempt int        // in this life
	task    sdk.TaskID // empty while it waits for an offer
	done    bool
}

// newJobs makes a mapper for each piece of the text, then the reducers. What is done
// already stays done.
func newJobs(url string, pieces []piece, reducers int, p *progress) []*job {
	var jobs []*job
	for i, text := range pieces {
		jobs = append(jobs, &job{Name: fmt.Sprintf("map-%d", i), URL: url, Text: text, Reducers: reducers, Slow: i == 0, life: p.life})
	}
	for i := range reducers {
		jobs = append(jobs, &job{Name: fmt.Sprintf("reduce-%d", i), URL: url, Mappers: len(pieces), Reducer: i, Reducers: reducers, life: p.life})
	}
	for _, j := range jobs {
		j.done = p.has(j)
	}
	return jobs
}

// results are the paths below the scheduler's URL of what the job makes.
func (j *job) results() []string {
	if j.Mappers > 0 {
		return []string{"out/" + j.Name}
	}
	var paths []string
	for r := range j.Reducers {
		paths = append(paths, fmt.Sprintf("out/%s/%d", j.Name, r))
	}
	return paths
}

// next is the next attempt of the job as a task.
func (j *job) next() sdk.TaskInfo {
	j.attempt++
	j.task = sdk.TaskID(fmt.Sprintf("%s.%d.%d", j.Name, j.life, j.attempt))
	data, _ := json.Marshal(j)
	return sdk.TaskInfo{Name: j.Name, TaskID: j.task, Resources: taskNeeds(), Executor: executorInfo(j.URL, j.life), Data: data}
}

// executorID differs from life to life, because the URL does.
func executorID(life int) sdk.ExecutorID { return sdk.ExecutorID(fmt.Sprintf("wordcount-%d", life)) }

// executorInfo is this program again, fetched from the scheduler by each agent.
func executorInfo(url string, life int) *sdk.ExecutorInfo {
	return &sdk.ExecutorInfo{
		Type: sdk.ExecutorCustom, ExecutorID: executorID(life), Name: "wordcount", Resources: resources("cpus:0.4;mem:256"),
		Command: &sdk.CommandInfo{
			Value: "./wordcount executor",
			URIs:  []sdk.URI{{Value: url + "/wordcount", OutputFile: "wordcount", Executable: true}},
		},
	}
}

func taskNeeds() sdk.Resources { return resources("cpus:0.05;mem:32") }

func resources(text string) sdk.Resources {
	r, err := sdk.ParseResources(text)
	if err != nil {
		panic(err)
	}
	return r
}

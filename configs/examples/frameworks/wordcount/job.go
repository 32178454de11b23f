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

	attempt int
	task    sdk.TaskID // empty while it waits for an offer
	done    bool
}

// newJobs makes a mapper for each piece of the text, then the reducers.
func newJobs(url string, pieces []piece, reducers int) []*job {
	var jobs []*job
	for i, p := range pieces {
		jobs = append(jobs, &job{Name: fmt.Sprintf("map-%d", i), URL: url, Text: p, Reducers: reducers, Slow: i == 0})
	}
	for i := range reducers {
		jobs = append(jobs, &job{Name: fmt.Sprintf("reduce-%d", i), URL: url, Mappers: len(pieces), Reducer: i, Reducers: reducers})
	}
	return jobs
}

// next is the next attempt of the job as a task.
func (j *job) next() sdk.TaskInfo {
	j.attempt++
	j.task = sdk.TaskID(fmt.Sprintf("%s.%d", j.Name, j.attempt))
	data, _ := json.Marshal(j)
	return sdk.TaskInfo{Name: j.Name, TaskID: j.task, Resources: taskNeeds(), Executor: executorInfo(j.URL), Data: data}
}

// executorInfo is this program again, fetched from the scheduler by each agent.
func executorInfo(url string) *sdk.ExecutorInfo {
	return &sdk.ExecutorInfo{
		Type: sdk.ExecutorCustom, ExecutorID: "wordcount", Name: "wordcount", Resources: resources("cpus:0.4;mem:256"),
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

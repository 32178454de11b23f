package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/profferhq/proffer/marathonish/launch"
	"github.com/profferhq/proffer/sdk"
)

// taskRun is one task of a service, as the kernel knows it.
type taskRun struct {
	task  sdk.Task
	index int // of the instance; -1 when the task does not say
	ended bool
}

// runsOf are the tasks of a service that the kernel knows, those that have ended too, by
// index and age. Their ids are the service's with _ for /, a dot, and what has no dot.
func runsOf(known *sdk.GetTasks, framework sdk.FrameworkID, id string) []taskRun {
	prefix := strings.ReplaceAll(short(id), "/", "_") + "."
	var out []taskRun
	add := func(list []sdk.Task, ended bool) {
		for _, t := range list {
			tail, ours := strings.CutPrefix(string(t.TaskID), prefix)
			if ours && t.FrameworkID == framework && !strings.Contains(tail, ".") {
				out = append(out, taskRun{task: t, index: indexOf(t), ended: ended})
			}
		}
	}
	if known != nil {
		add(allTasks(known, false), false)
		add(known.CompletedTasks, true)
	}
	slices.SortStableFunc(out, func(a, b taskRun) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(firstStatus(a.task), firstStatus(b.task)), cmp.Compare(a.task.TaskID, b.task.TaskID))
	})
	return out
}

func indexOf(t sdk.Task) int {
	if t.Labels != nil {
		for _, l := range t.Labels.Labels {
			if n, err := strconv.Atoi(l.Value); err == nil && l.Key == launch.IndexLabel {
				return n
			}
		}
	}
	return -1
}

func firstStatus(t sdk.Task) float64 {
	if len(t.Statuses) == 0 {
		return 0
	}
	return t.Statuses[0].Timestamp
}

// name is the index, or for want of one the task's.
func (r taskRun) name() string {
	if r.index >= 0 {
		return strconv.Itoa(r.index)
	}
	return instance{ID: string(r.task.TaskID)}.name()
}

// live are the runs that have not ended.
func live(runs []taskRun) []taskRun {
	return slices.DeleteFunc(slices.Clone(runs), func(r taskRun) bool { return r.ended })
}

// previousOf is of each instance the run that ended last; of runs that do not say their
// instance, the last of all.
func previousOf(runs []taskRun) []taskRun {
	var out []taskRun
	for _, r := range runs {
		if !r.ended {
			continue
		}
		if n := len(out); n > 0 && out[n-1].index == r.index {
			if lastStatus(r.task).Timestamp >= lastStatus(out[n-1].task).Timestamp {
				out[n-1] = r
			}
			continue
		}
		out = append(out, r)
	}
	return out
}

package book

import (
	"slices"
	"strconv"
	"strings"

	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
)

// task is what an attempt is launched as. Its name is the job's.
func task(j *job.Job, r *run, resources []sdk.Resource) sdk.TaskInfo {
	shell, command, arguments := j.Program(r.rec.Arguments)
	c := &sdk.CommandInfo{Value: command, Shell: &shell, User: j.User, Environment: environment(j, r)}
	if !shell {
		c.Arguments = append([]string{command}, arguments...)
	}
	for _, f := range j.Fetch {
		extract := f.Extract
		c.URIs = append(c.URIs, sdk.URI{Value: f.URI, Executable: f.Executable, Extract: &extract, Cache: f.Cache, OutputFile: f.OutputFile})
	}
	return sdk.TaskInfo{Name: j.Name, TaskID: r.rec.Task, AgentID: r.rec.Agent, Resources: resources, Command: c}
}

// environment is what the attempt finds, as in Chronos; beyond that a run that its parents
// have caused finds which of their runs those were, by their task ids and their nominal
// times, in the order of the job's parents and separated by spaces. What the job says does
// not win over it.
func environment(j *job.Job, r *run) *sdk.Environment {
	ours := []sdk.Variable{
		{Name: "mesos_task_id", Value: string(r.rec.Task)},
		{Name: "MESOS_TASK_ID", Value: string(r.rec.Task)},
		{Name: "CHRONOS_JOB_OWNER", Value: j.Owner},
		{Name: "CHRONOS_JOB_NAME", Value: j.Name},
		{Name: "HOST", Value: r.rec.Host},
		{Name: "CHRONOS_RESOURCE_MEM", Value: number(j.Mem)},
		{Name: "CHRONOS_RESOURCE_CPU", Value: number(j.CPUs)},
		{Name: "CHRONOS_RESOURCE_DISK", Value: number(j.Disk)},
		{Name: "CHRONOS_JOB_RUN_TIME", Value: strconv.FormatInt(r.rec.Nominal.UnixMilli(), 10)},
		{Name: "CHRONOS_JOB_RUN_ATTEMPT", Value: strconv.Itoa(r.rec.Attempt)},
	}
	if tasks, times := causes(r); len(tasks) > 0 {
		ours = append(ours,
			sdk.Variable{Name: "CHRONOS_JOB_PARENT_TASK_IDS", Value: strings.Join(tasks, " ")},
			sdk.Variable{Name: "CHRONOS_JOB_PARENT_RUN_TIMES", Value: strings.Join(times, " ")})
	}
	env := &sdk.Environment{}
	for _, v := range j.Env {
		if !slices.ContainsFunc(ours, func(o sdk.Variable) bool { return o.Name == v.Name }) {
			env.Variables = append(env.Variables, sdk.Variable{Name: v.Name, Type: sdk.VariableValue, Value: v.Value})
		}
	}
	for _, v := range ours {
		v.Type = sdk.VariableValue
		env.Variables = append(env.Variables, v)
	}
	return env
}

// causes are the parents' attempts that have caused a run, with the nominal times of their
// runs. A success that was none of an attempt has neither.
func causes(r *run) (tasks, times []string) {
	for _, id := range r.rec.Parents {
		if JobOf(sdk.TaskID(id)) != "" {
			tasks, times = append(tasks, id), append(times, strings.Split(id, ":")[1])
		}
	}
	return tasks, times
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

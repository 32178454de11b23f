package agent

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
)

// statistics is what one container uses.
type statistics struct {
	ContainerID string          `json:"container_id"`
	FrameworkID sdk.FrameworkID `json:"framework_id"`
	ExecutorID  sdk.ExecutorID  `json:"executor_id"`
	TaskID      sdk.TaskID      `json:"task_id,omitempty"`
	Statistics  map[string]any  `json:"statistics"`
}

// serveStatistics samples every container now: numbers are as old as the answer.
func (a *Agent) serveStatistics(w http.ResponseWriter, r *http.Request) {
	out := []statistics{}
	for _, m := range a.sample(r.Context()) {
		c, s := m.c, &m.s
		figures := map[string]any{
			"timestamp":             float64(time.Now().UnixMilli()) / 1000,
			"cpus_user_system_secs": s.CPU.Seconds(),
			"cpus_throttled_secs":   s.Throttled.Seconds(),
			"cpus_nr_periods":       s.Periods,
			"cpus_nr_throttled":     s.Throttles,
			"mem_total_bytes":       s.Memory,
			"mem_peak_bytes":        s.MemoryPeak,
			"mem_limit_bytes":       s.MemoryLimit,
			"oom_kills":             s.OOMKills,
			"threads":               s.Threads,
			"threads_limit":         s.ThreadsLimit,
		}
		// Only what TaskInfo.limits bounds has a limit; infinity is no number in JSON.
		if limit, ok := c.Limit("cpus"); ok && !math.IsInf(limit, 0) {
			figures["cpus_limit"] = limit
		}
		out = append(out, statistics{c.ID, c.FrameworkID, c.ExecutorID, c.TaskID, figures})
	}
	writeJSON(w, out)
}

// state is the agent at a glance.
type state struct {
	ID         sdk.AgentID     `json:"id"`
	Hostname   string          `json:"hostname"`
	Version    string          `json:"version"`
	Address    string          `json:"address"`
	Registered bool            `json:"registered"`
	Fence      string          `json:"fence"`
	Resources  string          `json:"resources"`
	Used       string          `json:"used"`
	Isolation  []string        `json:"isolation"`
	Missing    []string        `json:"missing"`
	Tasks      int             `json:"tasks"`
	Executors  int             `json:"executors"`
	Frameworks int             `json:"frameworks"`
	Waiting    int             `json:"unacknowledged"`
	Tombstones int             `json:"tombstones"`
	Containers []containerInfo `json:"containers"`
}

type containerInfo struct {
	ID        string          `json:"id"`
	Framework sdk.FrameworkID `json:"framework_id"`
	Executor  sdk.ExecutorID  `json:"executor_id"`
	Task      sdk.TaskID      `json:"task_id,omitempty"`
	PID       int32           `json:"pid,omitempty"`
}

func (a *Agent) serveState(w http.ResponseWriter, r *http.Request) {
	s := state{Hostname: a.o.Hostname, Version: a.o.Software, Address: a.addr, Isolation: a.report.Controllers, Containers: []containerInfo{}}
	for _, m := range a.report.Missing {
		s.Missing = append(s.Missing, m.Name+": "+m.Why)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	ok := a.ask(ctx, func(l *ledger.Ledger) {
		c := l.Counts()
		s.ID, s.Registered, s.Fence, s.Used = l.Agent(), l.Registered(), l.Fence().String(), c.Used.String()
		s.Tasks, s.Executors, s.Frameworks, s.Waiting, s.Tombstones = c.Tasks, c.Executors, c.Frameworks, c.Unacknowledged, c.Tombstones
		for _, x := range l.Containers() {
			i := containerInfo{ID: x.ID, Framework: x.Framework.ID, Executor: x.Executor.ExecutorID}
			if x.Task != nil {
				i.Task = x.Task.TaskID
			}
			if x.Process != nil {
				i.PID = x.Process.PID
			}
			s.Containers = append(s.Containers, i)
		}
	})
	if !ok {
		refuse(w, sdk.Errorf(sdk.CodeUnavailable, "", "the agent is stopping"))
		return
	}
	if total := a.total.Load(); total != nil {
		s.Resources = total.String()
	}
	writeJSON(w, s)
}

// executorOf asks the ledger which executor of a framework's own runs a task.
func (a *Agent) executorOf(r *http.Request, f sdk.FrameworkID, t sdk.TaskID) sdk.ExecutorID {
	if id := r.URL.Query().Get("executor_id"); id != "" && sdk.ValidateID("executor_id", id) == nil {
		return sdk.ExecutorID(id)
	}
	var id sdk.ExecutorID
	a.ask(r.Context(), func(l *ledger.Ledger) { id = l.ExecutorOf(f, t) })
	return id
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

const adopted = 100 // tasks of perf-18's restart

// losses is perf-18: an agent that is killed has its tasks again, one that does not come
// back is replaced.
func losses(ctx context.Context, o options) ([]row, error) {
	back, err := adoption(ctx, o)
	if err != nil {
		return nil, err
	}
	rows := []row{back}
	for _, p := range []struct {
		profile string
		must    float64
	}{{"default", 15}, {"fast", 3}} {
		if o.profile != "" && o.profile != p.profile {
			continue
		}
		r, err := replacement(ctx, o, p.profile)
		if err != nil {
			return rows, fmt.Errorf("profile %s: %w", p.profile, err)
		}
		rows = append(rows, r.atMost(p.must))
	}
	return rows, nil
}

// adoption kills the only agent under its tasks, repeats times.
func adoption(ctx context.Context, o options) (row, error) {
	u, err := startUp(ctx, o, plenty)
	if err != nil {
		return row{}, err
	}
	defer u.stop()
	hold := make(chan struct{})
	b := &batch{n: adopted, command: argv("/bin/sleep", "600"), until: func(s sdk.TaskState) bool { return s == sdk.TaskRunning }, hold: hold}
	var all []float64
	var failure error
	err = b.run(ctx, u, func() {
		defer close(hold)
		for range repeats {
			s, err := restartAgent(ctx, u, adopted)
			if failure = err; err != nil {
				return
			}
			all = append(all, s)
			if failure = pause(ctx, 1500*time.Millisecond); failure != nil { // else `up` waits before it starts it again
				return
			}
		}
	})
	if err = errors.Join(err, failure); err != nil {
		return row{}, err
	}
	what := fmt.Sprintf("kill -9 of an agent with %d tasks: all re-adopted", adopted)
	return row{ID: "perf-18", What: what, Figure: median(all), Unit: "s", Note: list(all) + "; load " + loadAverage()}.atMost(1), nil
}

// placed is where an app's task is.
type placed struct {
	Host  string `json:"host"`
	State string `json:"state"`
}

// replacement stops an agent for good and measures how long it takes until its service runs
// elsewhere. SIGSTOP keeps its connections open: nothing but its silence can tell.
func replacement(ctx context.Context, o options, profile string) (row, error) {
	u, err := startCluster(ctx, o, append([]string{"--agents", "3", "--profile", profile, "--publish", "none"}, booted()...)...)
	if err != nil {
		return row{}, err
	}
	defer u.stop()
	m := newMarathon(u)
	if err := m.await(ctx); err != nil {
		return row{}, err
	}
	home, err := hostOf(ctx, u, "marathonish")
	if err != nil {
		return row{}, err
	}
	type constrained struct {
		benchApp
		Constraints [][]string `json:"constraints"`
	}
	app := constrained{benchApp{ID: "/lost", Cmd: "exec sleep 1000", Instances: 1, CPUs: 0.1, Mem: 32, Ports: []int{}}, [][]string{{"hostname", "UNLIKE", home}}}
	if err := m.call(ctx, http.MethodPost, "/v2/apps", app, nil); err != nil {
		return row{}, err
	}
	at := ""
	elsewhere := func() error {
		host, err := m.runsAt(ctx, "/lost", at)
		if err == nil {
			at = host
		}
		return err
	}
	if err := poll(ctx, 20*time.Second, 20*time.Millisecond, "the service runs", elsewhere); err != nil {
		return row{}, err
	}
	if err := pause(ctx, 3*time.Second); err != nil { // agents and gossip are settled
		return row{}, err
	}
	load := loadAverage()
	pid, err := u.agentAt(at)
	if err != nil {
		return row{}, err
	}
	begin := time.Now()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return row{}, err
	}
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	if err := poll(ctx, time.Minute, 20*time.Millisecond, "the service runs elsewhere", elsewhere); err != nil {
		return row{}, err
	}
	took := time.Since(begin).Seconds()
	what := fmt.Sprintf("an agent of three stopped for good, profile %s: its service runs elsewhere", profile)
	return row{ID: "perf-18", What: what, Figure: took, Unit: "s", Note: "load " + load}, nil
}

// runsAt is a host other than not where a task of the app runs.
func (m *marathon) runsAt(ctx context.Context, id, not string) (string, error) {
	var answer struct {
		Tasks []placed `json:"tasks"`
	}
	if err := m.call(ctx, http.MethodGet, "/v2/apps"+id+"/tasks", nil, &answer); err != nil {
		return "", err
	}
	for _, t := range answer.Tasks {
		if t.State == string(sdk.TaskRunning) && t.Host != not {
			return t.Host, nil
		}
	}
	return "", fmt.Errorf("tasks: %v", answer.Tasks)
}

// hostOf is the hostname of the agent where the running task of that name is.
func hostOf(ctx context.Context, u *upCluster, name string) (string, error) {
	o := operator.DefaultOptions()
	o.Addrs, o.Token = []string{u.addr}, u.token
	op, err := operator.New(o)
	if err != nil {
		return "", err
	}
	defer op.Close()
	state, err := op.State(ctx)
	if err != nil {
		return "", err
	}
	for _, t := range state.GetTasks.Tasks {
		if t.State != sdk.TaskRunning || !strings.Contains(t.Name+" "+string(t.TaskID), name) {
			continue
		}
		for _, a := range state.GetAgents.Agents {
			if a.AgentInfo.ID == t.AgentID {
				return a.AgentInfo.Hostname, nil
			}
		}
	}
	return "", fmt.Errorf("no task %s runs", name)
}

// agentAt is the process of the agent with that hostname: agent n of an `up` is
// 127.0.0.(n+1).
func (u *upCluster) agentAt(host string) (int, error) {
	n, err := strconv.Atoi(host[strings.LastIndexByte(host, '.')+1:])
	if err != nil {
		return 0, err
	}
	return u.daemon("agent", n-1)
}

// daemon is the process of that master or agent, from 0.
func (u *upCluster) daemon(kind string, n int) (int, error) {
	dir := filepath.Join(u.dir, kind+strconv.Itoa(n))
	for _, pid := range u.tree() {
		if w := words(pid); len(w) > 1 && w[1] == kind && slices.Contains(w, dir) {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("%s %d does not run", kind, n)
}

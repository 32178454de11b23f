package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

// logFlags are what `service logs` takes.
type logFlags struct {
	follow, previous, stderr bool
}

func serviceLogsCommand(c *client) *cobra.Command {
	var o logFlags
	cmd := &cobra.Command{
		Use: "logs SERVICE", Short: "Print what the instances of a service have written, each line with the instance's index", Args: cobra.ExactArgs(1),
		Example: "  proffer service logs web\n  proffer service logs -f web\n  proffer service logs --previous web",
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.follow && o.previous {
				return usagef("--previous is about runs that have ended: they cannot be followed")
			}
			l, err := newServiceLogs(cmd.Context(), c, o, args[0])
			if err != nil {
				return err
			}
			if o.follow {
				err = l.follow(cmd.Context())
			} else {
				err = l.print(cmd.Context())
			}
			if cmd.Context().Err() != nil {
				return nil // ctrl-C ends the look, not the service
			}
			return err
		},
		ValidArgsFunction: completeServices(c),
	}
	f := cmd.Flags()
	f.BoolVarP(&o.follow, "follow", "f", false, "go on, with instances to come too, until ctrl-C or the end of the service")
	f.BoolVarP(&o.previous, "previous", "p", false, "of each instance the last run that has ended")
	f.BoolVar(&o.stderr, "stderr", false, "the error output instead")
	return cmd
}

// serviceLogs prints the output of one service's tasks.
type serviceLogs struct {
	c         *client
	s         *services
	op        *operator.Client
	o         logFlags
	id        string // of the service, "/web"
	framework sdk.FrameworkID
	looks     int // at what there is, asked for by streams that were opened

	mu     sync.Mutex // one line at a time
	copies sync.WaitGroup
}

func newServiceLogs(ctx context.Context, c *client, o logFlags, id string) (*serviceLogs, error) {
	path, err := servicePath(id)
	if err != nil {
		return nil, err
	}
	s, err := c.services()
	if err != nil {
		return nil, err
	}
	op, err := c.operator()
	if err != nil {
		return nil, err
	}
	var one struct {
		App app `json:"app"`
	}
	if err := s.get(ctx, "get service", path, &one); err != nil {
		return nil, err
	}
	var info struct {
		FrameworkID string `json:"frameworkId"`
	}
	if err := s.get(ctx, "get info", "/v2/info", &info); err != nil {
		return nil, err
	}
	return &serviceLogs{c: c, s: s, op: op, o: o, id: one.App.ID, framework: sdk.FrameworkID(info.FrameworkID)}, nil
}

// print prints what is there now, instance by instance.
func (l *serviceLogs) print(ctx context.Context) error {
	known, err := l.op.Tasks(ctx)
	if err != nil {
		return err
	}
	runs := runsOf(known, l.framework, l.id)
	if l.o.previous {
		runs = previousOf(runs)
	} else {
		runs = live(runs)
	}
	if len(runs) == 0 {
		if l.o.previous {
			return sdk.Errorf(sdk.CodeNotFound, "", "no run of %s is known to have ended", l.id)
		}
		fmt.Fprintf(l.c.io.err, "no instance of %s runs now; --previous shows the last runs, `proffer service get %s` why\n", l.id, short(l.id))
		return nil
	}
	agents, err := agentURLs(ctx, l.op)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if err := l.copy(ctx, r, agents[r.task.AgentID]); err != nil {
			return err
		}
	}
	return nil
}

// agentURLs are the base URLs of the agents that the cluster has.
func agentURLs(ctx context.Context, op *operator.Client) (map[sdk.AgentID]string, error) {
	all, err := op.Agents(ctx)
	if err != nil {
		return nil, err
	}
	out := map[sdk.AgentID]string{}
	for i := range all.Agents {
		out[all.Agents[i].AgentInfo.ID] = operator.AgentURL(&all.Agents[i])
	}
	return out, nil
}

// copy copies one run's output, with its prefix. Output that is not there any more, or not
// yet, is none.
func (l *serviceLogs) copy(ctx context.Context, r taskRun, agentURL string) error {
	request := operator.LogRequest{FrameworkID: l.framework, TaskID: r.task.TaskID, Follow: l.o.follow, AgentURL: agentURL}
	if l.o.stderr {
		request.Stream = "stderr"
	}
	w := &prefixWriter{prefix: "[" + r.name() + "] ", mu: &l.mu, to: l.c.io.out}
	err := copyLog(ctx, l.op, request, w)
	w.flush()
	if sdk.CodeOf(err) == sdk.CodeNotFound {
		err = nil
	}
	return err
}

// follow prints what the instances write until the service, or ctx, ends.
func (l *serviceLogs) follow(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer l.copies.Wait()
	defer stop()
	news, ended := make(chan sdk.TaskID, 1024), make(chan error, 1)
	news <- "" // look at what is there already; before the events, whose last one closes it
	go func() {
		ended <- l.s.events(ctx, []string{attachedEvent, "status_update_event", "app_terminated_event"}, func(e event) { l.take(ctx, e, news) })
	}()
	seen := map[sdk.TaskID]bool{}
	for {
		select {
		case id, more := <-news:
			if !more {
				l.copies.Wait()
				return nil
			}
			if !seen[id] {
				if err := l.begin(ctx, seen); err != nil {
					return err
				}
			}
		case err := <-ended:
			return err
		}
	}
}

// attachedEvent greets on every stream, the first and those after a marathonish that died.
const attachedEvent = "event_stream_attached"

// take hands on the task of an event of this service, once it has begun. What happened while
// no stream was open is looked up when there is one again: the service may have ended.
func (l *serviceLogs) take(ctx context.Context, e event, news chan sdk.TaskID) {
	if e.Type == attachedEvent {
		path, err := servicePath(l.id)
		if err == nil {
			err = l.s.get(ctx, "get service", path, &struct{}{})
		}
		if sdk.CodeOf(err) == sdk.CodeNotFound {
			close(news)
			<-ctx.Done() // nothing is to come
			return
		}
		l.looks++
		select {
		case news <- sdk.TaskID(fmt.Sprintf("look %d", l.looks)): // no task's id: whatever there is
		case <-ctx.Done():
		}
		return
	}
	var d struct {
		AppID  string     `json:"appId"`
		TaskID sdk.TaskID `json:"taskId"`
		Status string     `json:"taskStatus"`
	}
	if e.decode(&d) != nil || d.AppID != l.id {
		return
	}
	if e.Type == "app_terminated_event" {
		close(news)
		<-ctx.Done() // nothing is to come
		return
	}
	if d.Status == "TASK_STAGING" || d.Status == "TASK_STARTING" {
		return // nothing is written yet
	}
	select {
	case news <- d.TaskID:
	case <-ctx.Done():
	}
}

// begin follows every run that is new.
func (l *serviceLogs) begin(ctx context.Context, seen map[sdk.TaskID]bool) error {
	known, err := l.op.Tasks(ctx)
	if err != nil {
		return err
	}
	agents, err := agentURLs(ctx, l.op)
	if err != nil {
		return err
	}
	first := len(seen) == 0
	seen[""] = true
	for _, r := range runsOf(known, l.framework, l.id) {
		if seen[r.task.TaskID] || first && r.ended || r.task.State == sdk.TaskStaging {
			continue
		}
		seen[r.task.TaskID] = true
		l.copies.Add(1)
		go func() {
			defer l.copies.Done()
			if err := l.copy(ctx, r, agents[r.task.AgentID]); err != nil && ctx.Err() == nil {
				fmt.Fprintf(l.c.io.err, "[%s] cannot be followed: %v\n", r.name(), err)
			}
		}()
	}
	return nil
}

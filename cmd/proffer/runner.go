package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/operator"
)

// The patience of `run`.
const (
	explainAfter = 2 * time.Second  // say what it waits for
	explainEvery = 30 * time.Second // say it again
	reachTime    = 5 * time.Second  // for a first master that answers
	drainTime    = 30 * time.Second // for the rest of the output after the end
	wideFilter   = time.Hour        // for offers that are not needed
)

// runner is one `run`: a framework with one task.
type runner struct {
	c    *client
	o    runFlags
	task sdk.TaskInfo
	f    *framework.Framework
	op   *operator.Client

	agentURL string
	launched atomic.Bool
	best     atomic.Value // of string: the last offer that was too small
	last     sdk.TaskStatus
	begun    chan struct{} // closed when the task runs or has ended
	over     chan struct{} // closed when the task has ended
	once     sync.Once     // closes begun
	copies   sync.WaitGroup
	stopLogs context.CancelFunc
}

func newRunner(c *client, o runFlags, task sdk.TaskInfo) (*runner, error) {
	addrs, token, err := c.access()
	if err != nil {
		return nil, err
	}
	fo := framework.DefaultOptions("run " + task.Name)
	fo.Addrs, fo.Token, fo.Transport = addrs, token, c.transport
	fo.Info.FailoverTimeout = vanishTimeout.Seconds()
	if o.detach {
		fo.Info.FailoverTimeout = detachTimeout.Seconds()
	}
	fo.Info.Roles = []string{o.role}
	fo.Info.Hostname, _ = os.Hostname()
	if u, err := user.Current(); err == nil && o.framework == "" {
		fo.Info.Labels = &sdk.Labels{Labels: []sdk.Label{{Key: "started-by", Value: u.Username}}}
	}
	f, err := framework.New(fo)
	if err != nil {
		return nil, err
	}
	op, err := c.operator()
	if err != nil {
		return nil, err
	}
	return &runner{c: c, o: o, task: task, f: f, op: op, begun: make(chan struct{}), over: make(chan struct{})}, nil
}

// run ends with the task's exit code.
func (r *runner) run(ctx context.Context) error {
	var late <-chan time.Time
	if r.o.timeout > 0 {
		t := time.NewTimer(r.o.timeout)
		defer t.Stop()
		late = t.C
	}
	if err := r.reachable(ctx); err != nil {
		return err
	}
	// The framework outlives ctrl-C, which first kills the task.
	fctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	logs, stopLogs := context.WithCancel(fctx)
	r.stopLogs = stopLogs
	defer stopLogs()
	go r.interrupt(ctx, fctx, cancel)
	ended := make(chan error, 1)
	go func() {
		ended <- r.f.Run(fctx, framework.Handlers{
			Offers: func(_ context.Context, offers []sdk.Offer) error { return r.offers(offers) },
			Update: func(_ context.Context, s sdk.TaskStatus) error { return r.update(logs, s) },
		}.Handle)
	}()
	if early, err := r.await(fctx, ended, late); early {
		var tooLate errLate
		switch {
		case errors.As(err, &tooLate):
			r.teardown() // takes along what is launched meanwhile
			cancel()
			<-ended
			return err
		case ctx.Err() != nil && !r.launched.Load():
			return exitCode(128 + int(syscall.SIGINT))
		case err != nil:
			return err
		}
		return r.printDetached()
	}
	r.drain()
	r.teardown() // ends Run
	<-ended
	return r.verdict()
}

// printDetached tells the id of the task that goes on by itself.
func (r *runner) printDetached() error {
	if !r.c.json {
		_, err := fmt.Fprintln(r.c.io.out, r.task.TaskID)
		return err
	}
	return r.c.printObject(struct {
		Task      sdk.TaskID      `json:"task_id"`
		Framework sdk.FrameworkID `json:"framework_id"`
	}{r.task.TaskID, r.f.ID()})
}

// reachable waits for a master that answers, for as long as a restart may take.
func (r *runner) reachable(ctx context.Context) error {
	for deadline := time.Now().Add(reachTime); ; {
		err := r.op.Health(ctx)
		if !operator.IsUnreachable(err) {
			return nil // whatever else is wrong, the framework will tell
		}
		if !time.Now().Before(deadline) {
			return err
		}
		if err := pause(ctx, retryLogs); err != nil {
			return err
		}
	}
}

// interrupt turns ctrl-C into a kill of the task, and gives up when that does not help.
func (r *runner) interrupt(ctx, fctx context.Context, cancel context.CancelFunc) {
	select {
	case <-ctx.Done():
	case <-fctx.Done():
		return
	}
	if !r.launched.Load() {
		cancel()
		return
	}
	fmt.Fprintf(r.c.io.err, "proffer run: killing %s\n", r.task.TaskID)
	_ = r.f.Kill(r.task.TaskID, r.task.AgentID, 0)
	select {
	case <-time.After(drainTime):
		fmt.Fprintln(r.c.io.err, "proffer run: the task does not end; its kill goes on without us")
		cancel()
	case <-fctx.Done():
	}
}

// offers launches on the first offer that is large enough, and declines the others.
func (r *runner) offers(offers []sdk.Offer) error {
	for _, o := range offers {
		if r.launched.Load() {
			if err := r.f.Decline(wideFilter, o); err != nil {
				return err
			}
			continue
		}
		have := sdk.Resources(o.Resources)
		want := r.wanted(have)
		if want == nil {
			r.best.Store(have.WithoutAllocation().String())
			if err := r.f.Decline(time.Second, o); err != nil {
				return err
			}
			continue
		}
		r.launched.Store(true)
		r.task.AgentID, r.task.Resources = o.AgentID, want
		r.agentURL = offerURL(o)
		if err := r.f.Launch(o, r.task); err != nil {
			return err
		}
		if err := r.f.Suppress(); err != nil {
			return err
		}
	}
	return nil
}

// wanted is what the task takes of an offer, or nil when that has not enough.
func (r *runner) wanted(have sdk.Resources) sdk.Resources {
	var want sdk.Resources
	for _, res := range r.task.Resources {
		if have.Scalar(res.Name) < res.Scalar.Value {
			return nil
		}
		want = append(want, res)
	}
	if r.o.ports == 0 {
		return want
	}
	ports := firstPorts(have.Ranges("ports").Range, r.o.ports)
	if ports == nil {
		return nil
	}
	r.portVariables(ports)
	return append(want, sdk.Resource{Name: "ports", Type: sdk.ValueRanges, Ranges: &sdk.Ranges{Range: ports}})
}

// firstPorts picks n ports out of ranges.
func firstPorts(ranges []sdk.Range, n int) []sdk.Range {
	var out []sdk.Range
	for _, r := range ranges {
		for p := r.Begin; p <= r.End && len(out) < n; p++ {
			out = append(out, sdk.Range{Begin: p, End: p})
		}
	}
	if len(out) < n {
		return nil
	}
	return out
}

func (r *runner) portVariables(ports []sdk.Range) {
	if r.task.Command.Environment == nil {
		r.task.Command.Environment = &sdk.Environment{}
	}
	for i, p := range ports {
		r.task.Command.Environment.Variables = append(r.task.Command.Environment.Variables,
			sdk.Variable{Name: fmt.Sprintf("PORT%d", i), Value: fmt.Sprint(p.Begin)})
	}
}

func offerURL(o sdk.Offer) string {
	if o.URL == nil {
		return ""
	}
	host := o.URL.Address.IP
	if host == "" {
		host = o.URL.Address.Hostname
	}
	return fmt.Sprintf("%s://%s:%d", o.URL.Scheme, host, o.URL.Address.Port)
}

// update follows the task: its output from the start on, its end.
func (r *runner) update(logs context.Context, s sdk.TaskStatus) error {
	if terminal(r.last.State) {
		return nil // told again: the first word counts
	}
	r.last = s
	if s.State == sdk.TaskRunning || terminal(s.State) {
		r.once.Do(func() { close(r.begun) })
	}
	switch {
	case terminal(s.State):
		if s.WaitStatus != nil {
			r.follow(logs)
		}
		close(r.over)
	case s.State == sdk.TaskRunning && r.o.detach:
		return framework.Stop
	case s.State == sdk.TaskRunning:
		if r.o.user != "" && s.Message != "" {
			fmt.Fprintf(r.c.io.err, "proffer run: %s\n", shown(s.Message)) // as which user it runs
		}
		r.follow(logs)
	}
	return nil
}

// follow copies both streams, once.
func (r *runner) follow(ctx context.Context) {
	if r.agentURL == "" {
		return
	}
	id, url := r.f.ID(), r.agentURL
	r.agentURL = ""
	for stream, to := range map[string]io.Writer{"stdout": r.c.io.out, "stderr": r.c.io.err} {
		r.copies.Go(func() {
			err := copyLog(ctx, r.op, operator.LogRequest{FrameworkID: id, TaskID: r.task.TaskID, Stream: stream, Follow: true, AgentURL: url}, to)
			if err != nil && !errors.Is(err, context.Canceled) {
				fmt.Fprintf(r.c.io.err, "proffer run: the task's %s can not be read: %v\n", stream, err)
			}
		})
	}
}

// drain waits for the rest of the output, within a bound.
func (r *runner) drain() {
	late := time.AfterFunc(drainTime, r.stopLogs)
	defer late.Stop()
	r.copies.Wait()
}

func (r *runner) teardown() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if id := r.f.ID(); id != "" {
		if err := r.f.Teardown(ctx); err != nil {
			fmt.Fprintf(r.c.io.err, "proffer run: the framework is left for the kernel to remove after %s: %v\n", vanishTimeout, err)
		}
	}
}

// verdict is the task's end as an exit code; what is not the task's own word is said.
func (r *runner) verdict() error {
	s := r.last
	if s.Reason != "" || s.WaitStatus == nil && s.State != sdk.TaskFinished {
		fmt.Fprintf(r.c.io.err, "proffer run: %s is %s: %s %s\n", r.task.TaskID, taskState(s.State), shown(s.Message), shown(string(s.Reason)))
	}
	switch {
	case s.WaitStatus != nil:
		w := syscall.WaitStatus(uint32(*s.WaitStatus))
		if w.Signaled() {
			return exitCode(128 + int(w.Signal()))
		}
		if code := w.ExitStatus(); code != 0 {
			return exitCode(code)
		}
		return nil
	case s.State == sdk.TaskFinished:
		return nil
	}
	return exitCode(exitRunFault)
}

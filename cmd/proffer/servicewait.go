package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/profferhq/proffer/sdk"
)

const (
	watchEvery   = 250 * time.Millisecond // between two looks at a deployment
	verdictGrace = 2 * time.Second        // for the event that says how a deployment ended
)

// rollout makes a change and sees it through.
type rollout struct {
	c    *client
	s    *services
	o    changeFlags
	ids  []string // the services that it changes
	what string   // for people, such as "deploy /web"
}

// errNotDone is what a deployment comes to that did not do what was asked.
type errNotDone struct{ what string }

func (e errNotDone) Error() string { return e.what }

// run sends the change, and unless it is detached shows how the deployment goes on until
// it has ended. ctrl-C ends the look, not the deployment.
func (r *rollout) run(ctx context.Context, send func(ctx context.Context) (change, error)) error {
	// The stream is open before the change is made, so that it brings how that ends.
	watch, stop := context.WithCancel(ctx)
	defer stop()
	ends := newVerdicts()
	if !r.o.detach {
		go func() { _ = r.s.events(watch, []string{"deployment_success", "deployment_failed"}, ends.take) }()
	}
	made, err := send(ctx)
	if err != nil {
		return err
	}
	if r.o.detach {
		if r.c.json {
			return r.c.printObject(made)
		}
		_, err := fmt.Fprintln(r.c.io.out, made.DeploymentID)
		return err
	}
	begin := time.Now()
	if err := r.wait(ctx, made, ends); err != nil {
		return err
	}
	if r.c.json {
		return r.c.printObject(made)
	}
	fmt.Fprintf(r.c.io.err, "%s: done after %.1f s\n", r.what, time.Since(begin).Seconds())
	return nil
}

// wait watches a deployment to its end.
func (r *rollout) wait(ctx context.Context, made change, ends *verdicts) error {
	timed := ctx
	if r.o.timeout > 0 {
		var cancel context.CancelFunc
		timed, cancel = context.WithTimeout(ctx, r.o.timeout)
		defer cancel()
	}
	show := newDisplay(r.c.io.err)
	var last snapshot
	var goneSince time.Time
	for {
		var s snapshot
		err := r.s.patiently(timed, func() (err error) { s, err = r.look(timed, made); return err })
		if err == nil {
			last = s
			show.show(s)
			if done, err := ends.of(made.DeploymentID); done {
				return err
			}
			switch {
			case s.deployment != nil:
				goneSince = time.Time{}
			case goneSince.IsZero():
				goneSince = time.Now()
			case time.Since(goneSince) >= verdictGrace:
				return r.judge(made, s)
			}
		}
		if err == nil {
			err = pause(timed, watchEvery)
		}
		switch {
		case err == nil:
		case ctx.Err() != nil:
			r.leave(made)
			return exitCode(128 + int(syscall.SIGINT))
		case timed.Err() != nil:
			return r.late(made, last)
		default:
			return err
		}
	}
}

// look reads everything about the deployment at one moment, as far as calls in a row can.
func (r *rollout) look(ctx context.Context, made change) (snapshot, error) {
	var s snapshot
	var all []deployment
	if err := r.s.get(ctx, "watch deployment", "/v2/deployments", &all); err != nil {
		return s, err
	}
	for i := range all {
		if all[i].ID == made.DeploymentID {
			s.deployment = &all[i]
		}
	}
	for _, id := range r.ids {
		path, err := servicePath(id)
		if err != nil {
			return s, err
		}
		var one struct {
			App app `json:"app"`
		}
		err = r.s.get(ctx, "watch service", path+beyond, &one)
		if err == nil {
			s.apps = append(s.apps, one.App)
		} else if sdk.CodeOf(err) != sdk.CodeNotFound {
			return s, err
		}
	}
	return s, r.s.get(ctx, "watch queue", "/v2/queue?embed=why", &s.queue)
}

// judge decides how a deployment has ended of which no event came, because marathonish or
// a master ended in the meantime: by what is there now.
func (r *rollout) judge(made change, s snapshot) error {
	for i := range s.apps {
		a := &s.apps[i]
		if a.Version > made.Version {
			return errNotDone{fmt.Sprintf("%s: deployment %s was cancelled, or replaced by a later change", r.what, made.DeploymentID)}
		}
		if !a.settled() {
			return errNotDone{fmt.Sprintf("%s: deployment %s was cancelled half-way: of %s %d instances are ready, %d are wanted, %d are there",
				r.what, made.DeploymentID, a.ID, a.ready(), a.Instances, len(a.Tasks))}
		}
	}
	return nil
}

// leave says how to look again at what goes on by itself.
func (r *rollout) leave(made change) {
	fmt.Fprintf(r.c.io.err, "\n%s: deployment %s goes on. %s\n", r.what, made.DeploymentID, r.again())
}

func (r *rollout) again() string {
	return fmt.Sprintf("`proffer service get %s` shows how it stands; any change with --force cancels it", short(r.ids[0]))
}

// late is the error for a deployment that takes longer than one would wait.
func (r *rollout) late(made change, last snapshot) error {
	why := strings.Join(last.waits(), "; ")
	if why == "" {
		for _, line := range board(last) {
			why += "\n  " + line
		}
	}
	return &timeoutError{fmt.Sprintf("%s: deployment %s is not done within %s and goes on: %s\n%s", r.what, made.DeploymentID, r.o.timeout, why, r.again())}
}

// timeoutError is a wait that was longer than it may be.
type timeoutError struct{ what string }

func (e *timeoutError) Error() string { return e.what }
func (e *timeoutError) Unwrap() error { return context.DeadlineExceeded }

// changed is a call that answers with a deployment.
func (s *services) changed(ctx context.Context, op, method, path string, body []byte) (change, error) {
	var made change
	err := s.call(ctx, op, method, path, body, &made)
	if err == nil && made.DeploymentID == "" {
		err = sdk.Errorf(sdk.CodeInternal, "", "%s: marathonish answered without a deployment", op)
	}
	return made, err
}

// put changes one service.
func (s *services) put(ctx context.Context, op, path string, body []byte) (change, error) {
	return s.changed(ctx, op, http.MethodPut, path, body)
}

// verdictOf reads an event about the end of a deployment.
func verdictOf(e event) (id string, failed error) {
	var d struct {
		ID     string `json:"id"`
		Reason string `json:"reason"`
	}
	if e.decode(&d) != nil {
		return "", nil
	}
	if e.Type == "deployment_success" {
		return d.ID, nil
	}
	if d.Reason == "" {
		d.Reason = "it was cancelled"
	}
	return d.ID, errNotDone{fmt.Sprintf("deployment %s did not come to its end: %s", d.ID, d.Reason)}
}

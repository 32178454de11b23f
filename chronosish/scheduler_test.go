package chronosish_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/profferhq/proffer/chronosish"
	"github.com/profferhq/proffer/chronosish/api"
	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
)

// running is a chronosish on a kernel of sdktest.
type running struct {
	*chronosish.Scheduler
	t    *testing.T
	k    *sdktest.Kernel
	stop func() error // ends it, and gives the error of Run
}

func options(k *sdktest.Kernel) chronosish.Options {
	f := k.Framework("chronosish")
	o := chronosish.DefaultOptions()
	o.Addrs, o.Token, o.Transport, o.Bind = f.Addrs, f.Token, f.Transport, "127.0.0.1"
	return o
}

func start(t *testing.T, k *sdktest.Kernel) *running {
	t.Helper()
	o := options(k)
	if testing.Verbose() {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	s, err := chronosish.New(o)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{Scheduler: s, t: t, k: k, stop: sdktest.Go(t, s.Run).Stop}
	r.await("it leads", func() bool { return s.Info().Elected && s.Info().FrameworkID != "" })
	return r
}

// await waits for something that other goroutines bring about.
func (r *running) await(what string, condition func() bool) {
	r.t.Helper()
	sdktest.Await(r.t, what, condition, func() (jobs any) {
		r.Read(func(v api.View) { jobs = v.Jobs() })
		return jobs
	})
}

func (r *running) put(jobs ...*job.Job) {
	r.t.Helper()
	for _, j := range jobs {
		j.Command, j.Shell, j.CPUs, j.Mem = "serve", true, 0.1, 32
		j.LostAfter, j.RetryDelay = job.Seconds(300), job.Seconds(0)
	}
	if _, err := r.Change(r.t.Context(), book.Change{Kind: book.Put, Jobs: jobs}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) history(name string) []book.Record {
	var list []book.Record
	r.Read(func(v api.View) { list = v.History(name, 0) })
	return list
}

func (r *running) runs(name string) []book.Run {
	var st book.Status
	r.Read(func(v api.View) { st, _ = v.Job(name) })
	return st.Runs
}

// goesOn is the attempt of a job that runs now.
func (r *running) goesOn(name string) book.Run {
	r.t.Helper()
	var run book.Run
	r.await(name+" runs", func() bool {
		list := r.runs(name)
		i := slices.IndexFunc(list, func(x book.Run) bool { return x.State == sdk.TaskRunning && r.knows(x.TaskID) })
		if i >= 0 {
			run = list[i]
		}
		return i >= 0
	})
	return run
}

// knows tells whether the task runs by what the kernel knows: chronosish may not have
// heard of its end yet.
func (r *running) knows(id sdk.TaskID) bool {
	for _, t := range r.k.Running() {
		if t.TaskID == id {
			return true
		}
	}
	return false
}

func outcomes(list []book.Record) (out []string) {
	for _, rec := range slices.Backward(list) {
		out = append(out, fmt.Sprint(rec.Outcome, " ", rec.Attempt))
	}
	return out
}

// TestThePath: a job fails once and is tried again, its child runs after it, chronosish is
// killed meanwhile and goes on, a run by hand is killed, all is deleted.
func TestThePath(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{Agents: []sdktest.Agent{{}, {}}})
	r := start(t, k)
	r.put(&job.Job{Name: "parent", Schedule: "R1//PT1H", Retries: 1}, &job.Job{Name: "child", Parents: []string{"parent"}})

	first := r.goesOn("parent")
	if err := k.End(first.TaskID, sdktest.Outcome{Signal: "Killed"}); err != nil {
		t.Fatal(err)
	}
	r.await("the next attempt", func() bool { return r.goesOn("parent").Attempt == 1 })
	second := r.goesOn("parent")
	id := r.Info().FrameworkID
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if err := k.End(second.TaskID, sdktest.Outcome{}); err != nil {
		t.Fatal(err)
	}
	r = start(t, k)
	child := r.goesOn("child")
	if got := outcomes(r.history("parent")); !slices.Equal(got, []string{"FAILED 0", "SUCCEEDED 1"}) || r.Info().FrameworkID != id {
		t.Errorf("the history of the parent is %q", got)
	}
	if !slices.Equal(child.Parents, []string{string(second.TaskID)}) {
		t.Errorf("the child is caused by %q", child.Parents)
	}
	if err := k.End(child.TaskID, sdktest.Outcome{}); err != nil {
		t.Fatal(err)
	}
	r.await("the child has ended", func() bool { return len(r.history("child")) == 1 && len(r.runs("child")) == 0 })

	if _, err := r.Change(t.Context(), book.Change{Kind: book.RunNow, Names: []string{"parent"}}); err != nil {
		t.Fatal(err)
	}
	r.goesOn("parent")
	if _, err := r.Change(t.Context(), book.Change{Kind: book.Kill, Names: []string{"parent"}}); err != nil {
		t.Fatal(err)
	}
	r.await("the run by hand is killed", func() bool { return len(r.runs("parent")) == 0 })
	if rec := r.history("parent")[0]; rec.Outcome != string(due.Killed) || rec.Cause != book.ByHand || rec.Again {
		t.Errorf("it is in the history as %+v", rec)
	}
	if _, err := r.Change(t.Context(), book.Change{Kind: book.Delete, Names: []string{"parent", "child"}}); err != nil {
		t.Fatal(err)
	}
	r.await("nothing is left", func() bool {
		left := true
		r.Read(func(v api.View) { left = len(v.Jobs()) > 0 })
		return !left && len(k.Running()) == 0
	})
}

// TestThreeTimes: a job every second three times runs exactly three times, whoever leads.
func TestThreeTimes(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	r := start(t, k)
	r.put(&job.Job{Name: "thrice", Schedule: "R3//PT1S", Epsilon: &job.Duration{Text: "PT1M", Length: time.Minute}})
	for range 3 {
		run := r.goesOn("thrice")
		if err := k.End(run.TaskID, sdktest.Outcome{}); err != nil {
			t.Fatal(err)
		}
		r.await("it has ended", func() bool {
			return !slices.ContainsFunc(r.runs("thrice"), func(x book.Run) bool { return x.TaskID == run.TaskID })
		})
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		r = start(t, k)
	}
	var st book.Status
	r.await("three have run", func() bool { // the last leader may have ended before it had stored the end
		r.Read(func(v api.View) { st, _ = v.Job("thrice") })
		return st.Exhausted && len(st.Runs) == 0
	})
	if st.Successes != 3 || len(r.history("thrice")) != 3 {
		t.Errorf("%+v, and the history %+v", st, r.history("thrice"))
	}
}

// TestTheSecondWaits: two chronosishes, one leads; when it ends the other does.
func TestTheSecondWaits(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	first := start(t, k)
	first.put(&job.Job{Name: "one", Schedule: "R1//PT1H"})
	run := first.goesOn("one")
	s, err := chronosish.New(options(k))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	if s.Info().Elected {
		t.Error("two lead")
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second := &running{Scheduler: s, t: t, k: k}
	second.await("the second leads", func() bool { return s.Info().Elected })
	if again := second.goesOn("one"); again.TaskID != run.TaskID {
		t.Errorf("%s runs, and it was %s", again.TaskID, run.TaskID)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestRefusals: what cannot be is refused with a sentence, and nothing is stored.
func TestRefusals(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	r := start(t, k)
	r.put(&job.Job{Name: "a", Schedule: "R1/2099-01-01T00:00:00Z/PT1H"}, &job.Job{Name: "b", Parents: []string{"a"}})
	for _, c := range []book.Change{
		{Kind: book.Put, Jobs: []*job.Job{{Name: "c", Schedule: "every day"}}},
		{Kind: book.Put, Jobs: []*job.Job{{Name: "c", Parents: []string{"nobody"}}}},
		{Kind: book.Put, Jobs: []*job.Job{{Name: "a", Parents: []string{"b"}}}},
		{Kind: book.Put, Jobs: []*job.Job{{Name: "a", Schedule: "R1//PT1H"}}, IfVersion: map[string]uint64{"a": 7}},
		{Kind: book.RunNow, Names: []string{"c"}},
		{Kind: book.Delete, Names: []string{"c"}},
	} {
		_, err := r.Change(t.Context(), c)
		if refusal, ok := err.(*job.Refusal); !ok || refusal.Status/100 != 4 || refusal.Message == "" {
			t.Errorf("%+v: %v", c, err)
		}
	}
	var names []string
	r.Read(func(v api.View) {
		for _, st := range v.Jobs() {
			names = append(names, fmt.Sprint(st.Job.Name, st.Job.Version))
		}
	})
	if !slices.Equal(names, []string{"a1", "b1"}) {
		t.Errorf("there is %q", names)
	}
}

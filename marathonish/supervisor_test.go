package marathonish_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profferhq/proffer/marathonish"
	"github.com/profferhq/proffer/marathonish/api"
	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
)

// running is a marathonish on a kernel of sdktest.
type running struct {
	*marathonish.Supervisor
	*sdktest.Running
	t *testing.T
	k *sdktest.Kernel
}

func options(k *sdktest.Kernel) marathonish.Options {
	f := k.Framework("marathonish")
	o := marathonish.DefaultOptions()
	o.Addrs, o.Token, o.Transport, o.Bind, o.BootApps = f.Addrs, f.Token, f.Transport, "127.0.0.1", ""
	return o
}

func start(t *testing.T, k *sdktest.Kernel, change func(*marathonish.Options)) *running {
	t.Helper()
	o := options(k)
	if testing.Verbose() {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if change != nil {
		change(&o)
	}
	s, err := marathonish.New(o)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{Supervisor: s, Running: sdktest.Go(t, s.Run), t: t, k: k}
	r.await("it leads", func() bool { return s.Info().Elected && s.Info().FrameworkID != "" })
	return r
}

// await waits for something that other goroutines bring about.
func (r *running) await(what string, condition func() bool) {
	r.t.Helper()
	sdktest.Await(r.t, what, condition, func() any { return r.instances("/web") })
}

func (r *running) instances(id app.ID) []fleet.Instance {
	var list []fleet.Instance
	r.Read(func(v api.View) {
		s, _ := v.App(id)
		list = s.Instances
	})
	return list
}

// are tells whether the app has so many running instances, with the indexes from 0
// on, and no deployment.
func (r *running) are(id app.ID, n int) bool {
	var indexes []int
	for _, i := range r.instances(id) {
		if i.State != "TASK_RUNNING" {
			return false
		}
		indexes = append(indexes, i.Index)
	}
	for i := range n {
		if !slices.Contains(indexes, i) {
			return false
		}
	}
	busy := false
	r.Read(func(v api.View) { busy = len(v.Deployments()) > 0 })
	return len(indexes) == n && !busy
}

func (r *running) put(format string, args ...any) fleet.Outcome {
	r.t.Helper()
	a, err := app.Parse([]byte(fmt.Sprintf(format, args...)))
	if err != nil {
		r.t.Fatal(err)
	}
	o, err := r.Change(r.t.Context(), fleet.Change{Kind: fleet.Put, Apps: []*app.App{a}})
	if err != nil {
		r.t.Fatal(err)
	}
	return o
}

func (r *running) tasks() map[sdk.TaskID]bool {
	set := map[sdk.TaskID]bool{}
	for _, t := range r.k.Running() {
		set[t.TaskID] = true
	}
	return set
}

const web = `{"id": "/web", "cmd": "serve", "instances": %d, "cpus": 0.1, "mem": 32, "backoffSeconds": 0, "env": {"V": "%s"}, "labels": {"PROFFER_DRAIN_SECONDS": "0"}}`

// TestThePath: an app is made and runs, an instance that dies is back, more are
// wanted, another version is wanted, marathonish is killed and goes on.
func TestThePath(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{Agents: []sdktest.Agent{{}, {}, {}}})
	r := start(t, k, nil)
	r.put(web, 2, "one")
	r.await("two run", func() bool { return r.are("/web", 2) })

	victim := r.instances("/web")[0]
	if err := k.End(victim.TaskID, sdktest.Outcome{Signal: "Killed"}); err != nil {
		t.Fatal(err)
	}
	r.await("the victim is replaced", func() bool { return r.are("/web", 2) && r.instances("/web")[0].TaskID != victim.TaskID })

	r.put(web, 4, "one")
	r.await("four run", func() bool { return r.are("/web", 4) })

	before := r.tasks()
	r.put(web, 4, "two")
	r.await("all are replaced", func() bool {
		for id := range r.tasks() {
			if before[id] {
				return false
			}
		}
		return r.are("/web", 4)
	})

	before = r.tasks()
	id := r.Info().FrameworkID
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	r = start(t, k, nil)
	r.await("four run under the next marathonish", func() bool { return r.are("/web", 4) })
	if now := r.tasks(); fmt.Sprint(now) != fmt.Sprint(before) || r.Info().FrameworkID != id {
		t.Errorf("before %v, now %v; framework %s, now %s", before, now, id, r.Info().FrameworkID)
	}
	if _, err := r.Change(t.Context(), fleet.Change{Kind: fleet.Delete, IDs: []app.ID{"/web"}}); err != nil {
		t.Fatal(err)
	}
	r.await("nothing is left", func() bool { return len(k.Running()) == 0 && r.are("/web", 0) })
}

// TestTheSecondWaits: two marathonishes, one leads; when it ends the other does.
func TestTheSecondWaits(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	first := start(t, k, nil)
	first.put(web, 1, "one")
	first.await("it runs", func() bool { return first.are("/web", 1) })
	o := options(k)
	s, err := marathonish.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	if s.Info().Elected {
		t.Error("two lead")
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := &running{Supervisor: s, t: t, k: k}
	second.await("the second leads", func() bool { return s.Info().Elected && second.are("/web", 1) })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestBootAppsAreMadeOnce: a destroyed one stays destroyed, and one that is not sound, or
// is there twice, does not stop the others.
func TestBootAppsAreMadeOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "boot-apps.json")
	if err := os.WriteFile(file, []byte(`[{"id":"/bad","cmd":""},`+fmt.Sprintf(web, 1, "boot")+","+fmt.Sprintf(web, 2, "twice")+"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := sdktest.New(t, sdktest.Options{})
	with := func(o *marathonish.Options) { o.BootApps = file }
	r := start(t, k, with)
	r.await("the app of the cluster runs", func() bool { return r.are("/web", 1) })
	if _, err := r.Change(t.Context(), fleet.Change{Kind: fleet.Delete, IDs: []app.ID{"/web"}}); err != nil {
		t.Fatal(err)
	}
	r.await("it is gone", func() bool { return r.are("/web", 0) && len(k.Running()) == 0 })
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	r = start(t, k, with)
	r.put(strings.ReplaceAll(web, "/web", "/other"), 1, "x")
	r.await("another app runs", func() bool { return r.are("/other", 1) })
	if n := len(r.instances("/web")); n != 0 {
		t.Errorf("the destroyed app has %d instances", n)
	}
}

// TestARemovedFrameworkComesBackAsANewOne: an operator tears it down; the next start
// launches all anew.
func TestARemovedFrameworkComesBackAsANewOne(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	r := start(t, k, nil)
	r.put(web, 1, "one")
	r.await("it runs", func() bool { return r.are("/web", 1) })
	id := r.Info().FrameworkID
	if err := k.Operator().Teardown(t.Context(), sdk.FrameworkID(id)); err != nil {
		t.Fatal(err)
	}
	if err := r.Wait(); sdk.CodeOf(err) != sdk.CodeGone {
		t.Errorf("it ended with %v", err)
	}
	r = start(t, k, nil)
	r.await("it runs again", func() bool { return r.are("/web", 1) && r.Info().FrameworkID != id })
}

// TestALostConnectionIsTold: to whoever reads the events, before the connection that follows;
// the mind knows it, too, and does not go by what it has heard in the last one.
func TestALostConnectionIsTold(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	r := start(t, k, nil)
	events, cancel := r.Subscribe(0)
	defer cancel()
	k.DropStreams()
	var told []string
	r.await("the next connection", func() bool {
		select {
		case e := <-events:
			told = append(told, e.Type)
		default:
		}
		return slices.Contains(told, "scheduler_reregistered_event")
	})
	if len(told) < 2 || told[len(told)-2] != "scheduler_disconnected_event" {
		t.Error(told)
	}
}

// TestEventsCanBeReadAgain: by the id of the last one that was seen.
func TestEventsCanBeReadAgain(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	r := start(t, k, nil)
	all, cancel := r.Subscribe(0)
	defer cancel()
	r.put(web, 1, "one")
	var seen []string
	var first, last uint64
	for e := range all {
		if first == 0 {
			first = e.ID
		} else if e.ID != last+1 {
			t.Fatalf("event %d follows %d", e.ID, last)
		}
		last = e.ID
		seen = append(seen, e.Type)
		if e.Type == "deployment_success" {
			break
		}
	}
	for _, want := range []string{"group_change_success", "deployment_info", "status_update_event", "deployment_step_success"} {
		if !slices.Contains(seen, want) {
			t.Errorf("no %s in %v", want, seen)
		}
	}
	again, stop := r.Subscribe(first)
	defer stop()
	if e := <-again; e.ID != first+1 {
		t.Errorf("after %d comes %d", first, e.ID)
	}
}

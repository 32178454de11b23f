package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
)

// pace is how much an acceptor launches.
type pace struct {
	most     int     // launches in all; 0 without a bound
	perOffer int     // at the most; 0 for as many as fit
	rate     float64 // launches a second; 0 for every offer fully and at once
}

// acceptor is a framework that launches tasks of one processor each on the agents of a
// farm, and keeps book of what it hears of them.
type acceptor struct {
	pace
	f *framework.Framework

	mu         sync.Mutex
	held       []sdk.Offer // with a rate: not answered yet
	paused     bool
	tasks      map[sdk.TaskID]*launched
	order      []*launched // as they were launched
	began      time.Time   // of the first launch
	running    int         // tasks whose first status has come: their launch is acknowledged
	finished   int         // tasks that ran to their end
	updates    int         // different ones
	never      int         // tasks that a definite answer says were never started
	bad        map[sdk.TaskState]int
	subscribed []time.Time // when each subscription began
	firstAfter []time.Time // when the first offer of each subscription came
	fresh      bool        // no offer has come since the last SUBSCRIBED
	last       time.Time   // of the newest status that was new
}

// launched is one task as the framework knows it.
type launched struct {
	at, first      time.Time // when it was launched, and when its first status came
	running, ended bool
	never          bool
}

// farmHost is how the names of the farm's agents begin.
const farmHost = "sim-"

func newAcceptor(addrs []string, token string) (*acceptor, error) {
	a := &acceptor{tasks: map[sdk.TaskID]*launched{}, bad: map[sdk.TaskState]int{}}
	o := framework.DefaultOptions("farm")
	o.Addrs, o.Token, o.Refused = addrs, token, func([]sdk.Call, error) {}
	f, err := framework.New(o)
	a.f = f
	return a, err
}

// run serves the framework until ctx ends.
func (a *acceptor) run(ctx context.Context) error {
	var g sync.WaitGroup
	defer g.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if a.rate > 0 {
		g.Go(func() { a.paced(ctx) })
	}
	return a.f.Run(ctx, framework.Handlers{
		Subscribed: func(context.Context, *sdk.Subscribed) error {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.held, a.fresh, a.subscribed = nil, true, append(a.subscribed, time.Now())
			return nil
		},
		Offers: func(_ context.Context, offers []sdk.Offer) error { return a.offered(offers) },
		Rescind: func(_ context.Context, id sdk.OfferID) error {
			a.mu.Lock()
			defer a.mu.Unlock()
			for i := range a.held {
				if a.held[i].ID == id {
					a.held = append(a.held[:i], a.held[i+1:]...)
					break
				}
			}
			return nil
		},
		Update: func(_ context.Context, s sdk.TaskStatus) error { a.update(s); return nil },
	}.Handle)
}

func (a *acceptor) offered(offers []sdk.Offer) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fresh {
		a.fresh = false
		a.firstAfter = append(a.firstAfter, time.Now())
	}
	for _, o := range offers {
		switch {
		case !strings.HasPrefix(o.Hostname, farmHost):
			_ = a.f.Decline(time.Hour, o)
		case cpusOf(o) < 1:
			_ = a.f.Decline(5*time.Second, o)
		case a.rate > 0:
			a.held = append(a.held, o)
		case a.most > 0 && len(a.tasks) >= a.most:
			_ = a.f.Decline(5*time.Second, o)
		default:
			n := int(cpusOf(o))
			if a.perOffer > 0 {
				n = min(n, a.perOffer)
			}
			if a.most > 0 {
				n = min(n, a.most-len(a.tasks))
			}
			a.launch(o, n, 5)
		}
	}
	return nil
}

// launch runs n tasks on an offer; what is left of it is not offered again for so many
// seconds. a.mu is held.
func (a *acceptor) launch(o sdk.Offer, n int, refuse float64) {
	now := time.Now()
	if a.began.IsZero() {
		a.began = now
	}
	command := argv("/bin/true")
	list := make([]sdk.TaskInfo, n)
	for i := range list {
		id := sdk.TaskID(fmt.Sprintf("farm-%d", len(a.tasks)+i))
		list[i] = sdk.TaskInfo{Name: "farm", TaskID: id, AgentID: o.AgentID, Command: &command, Resources: resources(1, 32)}
	}
	err := a.f.Accept(&sdk.Accept{OfferIDs: []sdk.OfferID{o.ID}, Filters: &sdk.Filters{RefuseSeconds: &refuse},
		Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: list}}}})
	if err != nil {
		return // not subscribed any more: nothing was sent
	}
	for i := range list {
		t := &launched{at: now}
		a.tasks[list[i].TaskID], a.order = t, append(a.order, t)
	}
}

// paced launches at the rate, on the oldest offers.
func (a *acceptor) paced(ctx context.Context) {
	const every = 10 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	due := 0.0
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			due = min(due+a.rate*now.Sub(last).Seconds(), a.rate/4) // what could not be launched is not caught up with
			last = now
		}
		a.mu.Lock()
		for due >= 1 && len(a.held) > 0 && !a.paused {
			a.launch(a.held[0], 1, 0)
			a.held = a.held[1:]
			due--
		}
		a.mu.Unlock()
	}
}

func (a *acceptor) update(s sdk.TaskStatus) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tasks[s.TaskID]
	if t == nil {
		return
	}
	now := time.Now()
	switch {
	case s.State == sdk.TaskStaging || s.State == sdk.TaskStarting:
	case s.State == sdk.TaskRunning:
		if t.running {
			return
		}
		t.running = true
		a.updates++
	case s.State == sdk.TaskFinished:
		if t.ended {
			return
		}
		t.ended = true
		a.updates++
		a.finished++
	case s.NeverLaunched() && !t.running:
		if !t.never {
			t.never = true
			a.never++
		}
		return
	default:
		a.bad[s.State]++
		t.ended = t.ended || terminal(s.State)
	}
	if t.first.IsZero() && (t.running || t.ended) {
		t.first = now
		a.running++
	}
	a.last = now
}

// open tells how many tasks have neither ended nor been answered for, and how many of them
// were acknowledged.
func (a *acceptor) open() (all, acknowledged int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.tasks {
		if !t.ended && !t.never {
			all++
			if t.running {
				acknowledged++
			}
		}
	}
	return all, acknowledged
}

func (a *acceptor) hold(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.paused = on
}

func cpusOf(o sdk.Offer) float64 {
	for _, r := range o.Resources {
		if r.Name == "cpus" && r.Scalar != nil {
			return r.Scalar.Value
		}
	}
	return 0
}

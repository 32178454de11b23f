package agent

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/kernel/agent/detect"
	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// Run recovers what an earlier start has left, then serves until ctx ends. Tasks
// live on unless KillTasksOnStop says otherwise. It runs once.
func (a *Agent) Run(ctx context.Context) error {
	reaper, err := executor.NewReaper(a.layout.Runtime(), "agent", ownChild)
	if err != nil {
		return errors.Join(err, a.unbind())
	}
	defer func() { _ = reaper.Close() }()
	if a.watch, err = newWatcher(a); err != nil {
		return errors.Join(err, a.unbind())
	}
	defer func() { _ = a.watch.close() }()
	if a.o.Insecure {
		a.log.Warn("no credentials at all: whoever reaches this port owns the machine's tasks")
	}
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, inner := errgroup.WithContext(inner)
	a.journal.quit = inner.Done()
	g.Go(func() error { return a.serve(inner) })
	launcher, err := a.recover(inner)
	if err != nil {
		stop()
		return errors.Join(err, g.Wait())
	}
	g.Go(func() error { return a.loop(inner) })
	g.Go(func() error { return a.keepLauncher(inner, launcher) })
	g.Go(func() error { return a.watch.run(inner) })
	g.Go(func() error { return a.ended.run(inner) })
	g.Go(func() error { return a.link.run(inner) })
	g.Go(func() error { a.masters.KeepLearning(inner); return nil })
	g.Go(func() error { return a.reap(inner, reaper) })
	g.Go(func() error { return a.watchLimits(inner) })
	a.log.Info("serving", "address", a.addr, "dir", a.o.Dir, "isolation", a.report.Backend)
	var end error
	select {
	case <-ctx.Done():
	case <-inner.Done():
	case end = <-a.fatal:
	}
	if end != nil || a.o.KillTasksOnStop && inner.Err() == nil {
		a.stopTasks(inner)
	}
	stop()
	err = g.Wait()
	a.prepares.drop()
	a.starts.drop()
	a.destroys.drop()
	if a.o.KillTasksOnStop && a.groups != nil {
		err = errors.Join(err, a.groups.Close())
	}
	return errors.Join(end, err, a.journal.close(), a.ended.index.close())
}

// recover finds what lives, and settles the ledger with it.
func (a *Agent) recover(ctx context.Context) (*executor.Launcher, error) {
	containers := a.ledger.Containers()
	known := make([]*isolator.Container, 0, len(containers))
	inUse := map[string]bool{}
	alives := map[string]bool{}
	for _, c := range containers {
		x := a.adopt(c)
		a.boxes.add(x)
		inUse[c.ID] = true
		if !x.def {
			known = append(known, x.c)
		}
		if c.Process != nil && alive(c.Process, a.boot) {
			a.watch.add(x, *c.Process)
			alives[c.ID] = x.executor
		}
	}
	launcher, err := executor.Spawn(ctx, a.o.ExecutorBinary, a.layout.Runtime())
	if err != nil {
		return nil, err
	}
	children := a.matchExecutors(ctx, launcher, alives)
	orphans, err := a.chain.Recover(ctx, known)
	if err != nil {
		a.log.Error("left-over containers cannot be removed", "why", err)
	}
	all := make([]*isolator.Container, 0, len(containers))
	for _, x := range a.boxes.list() {
		all = append(all, x.c)
	}
	stray, err := a.dirs.Recover(ctx, all)
	if err != nil {
		a.log.Error("left-over directories cannot be removed", "why", err)
	}
	if n := len(orphans) + len(stray); n > 0 {
		a.log.Info("removed what nobody knows", "groups", len(orphans), "directories", len(stray))
	}
	a.ended.recover(inUse)
	totals, err := a.machine()
	if err != nil {
		return nil, err
	}
	a.total.Store(&totals.Resources)
	now := a.now()
	a.ledger.Step(now, totals)
	a.ledger.Step(now, ledger.Recovered{BootID: a.boot, Alive: alives})
	a.ledger.Step(now, ledger.Parents{Children: children})
	if err := a.settle(); err != nil {
		return nil, err
	}
	a.recovered.Store(true)
	return launcher, nil
}

// matchExecutors adds executors that were started, but whose start the agent did
// not live to write down.
func (a *Agent) matchExecutors(ctx context.Context, l *executor.Launcher, alives map[string]bool) map[string]bool {
	children := map[string]bool{}
	managed, err := l.List(ctx)
	if err != nil {
		a.log.Warn("the launcher does not tell its executors", "why", err)
	}
	for i := range managed {
		m := &managed[i]
		children[m.ContainerID] = m.Child
		x := a.boxes.get(m.ContainerID)
		switch {
		case x == nil || !x.executor:
			_ = l.Signal(ctx, m.ContainerID, syscall.SIGKILL) // nobody wants it
		case m.Exit == nil && m.Process != nil && alive(m.Process, a.boot):
			a.watch.add(x, *m.Process)
			alives[m.ContainerID] = true
		}
	}
	return children
}

// machine is what the agent offers: declared, or detected.
func (a *Agent) machine() (t ledger.Totals, err error) {
	if t.Attributes, err = sdk.ParseAttributes(a.o.Attributes); err != nil {
		return t, err
	}
	if t.Resources, err = sdk.ParseResources(a.o.Resources); err != nil {
		return t, err
	}
	if t.Overhead, err = sdk.ParseResources(a.o.Overhead); err != nil {
		return t, err
	}
	m, err := detect.Detect(detect.Options{WorkDir: a.o.Dir})
	if err != nil {
		return t, err
	}
	for _, found := range m.Attributes { // what the operator says of the machine wins
		if !slices.ContainsFunc(t.Attributes, func(said sdk.Attribute) bool { return said.Name == found.Name }) {
			t.Attributes = append(t.Attributes, found)
		}
	}
	if len(t.Resources) == 0 {
		t.Resources, t.Overhead = m.Resources, m.Overhead
	}
	return t, nil
}

// stopTasks ends everything, and waits until nothing is left.
func (a *Agent) stopTasks(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, a.o.StopTimeout)
	defer cancel()
	a.inbox.put(ledger.StopAll{})
	for {
		left, ok := 0, a.ask(ctx, func(*ledger.Ledger) {})
		if ok {
			a.ask(ctx, func(l *ledger.Ledger) { left = l.Counts().Executors })
		}
		if ok && left == 0 {
			break
		}
		select {
		case <-ctx.Done():
			a.log.Warn("not everything has ended in time", "executors", left)
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
	for _, l := range a.boxes.list() {
		a.ended.forget(ctx, lingering{l, time.Now()})
	}
	l, err := a.currentLauncher(ctx)
	if err != nil {
		a.log.Warn("the launcher could not be told to end", "why", err)
		return
	}
	a.closing.Store(true)
	endLauncher(ctx, l)
}

// endLauncher waits until the launcher's process has ended, not only its connection: what
// stops an agent may look for processes right away.
func endLauncher(ctx context.Context, l *executor.Launcher) {
	fd, err := unix.PidfdOpen(l.PID(), 0)
	if err != nil {
		fd = -1 // it has ended already, or this kernel is older than 5.3
	}
	_ = l.Shutdown(ctx)
	select {
	case <-l.Done():
	case <-ctx.Done():
	}
	if fd < 0 {
		return
	}
	defer func() { _ = unix.Close(fd) }()
	_ = awaitExit(ctx, fd)
}

// reap collects the orphans of a dead launcher.
func (a *Agent) reap(ctx context.Context, r *executor.Reaper) error {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGCHLD)
	defer signal.Stop(signals)
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
		case <-tick.C:
		}
		if _, err := r.Reap(); err != nil {
			a.log.Error("ended orphans cannot be recorded", "why", err)
		}
	}
}

// ownChild says that a process belongs to this one's session: a program that the
// agent itself started and waits for. The launcher and everything below it has
// sessions of its own.
func ownChild(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	rest := string(text[strings.LastIndexByte(string(text), ')')+1:])
	fields := strings.Fields(rest)
	if len(fields) < 4 {
		return false
	}
	session, err := strconv.Atoi(fields[3])
	own, err2 := unix.Getsid(0)
	return err == nil && err2 == nil && session == own
}

// watchLimits tells the ledger of limits that running containers reach.
func (a *Agent) watchLimits(ctx context.Context) error {
	err := a.chain.Watch(ctx, func(id string, l isolator.Limitation) {
		if !l.Kills {
			return
		}
		in := ledger.LimitReached{ContainerID: id, Limit: ledger.Limit{Reason: l.Reason, Message: l.Message}}
		if x := a.boxes.get(id); x != nil {
			in.Limit.Resources = exceeded(x.c, &l)
		}
		a.inbox.put(in)
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

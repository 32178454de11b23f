package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The sizes of the service benches.
const (
	deployRepeats = 5
	manyServices  = 100
	serviceKills  = 50
	crashLoop     = 60 * time.Second
	handovers     = 5
)

// services measures marathonish: how soon a service serves, comes back and is taken over.
func services(ctx context.Context, o options) ([]row, error) {
	before := forkYardstick("F")
	rows := []row{before}
	s, err := startServices(ctx, o)
	if err != nil {
		return rows, err
	}
	defer s.stop()
	for _, part := range []func(context.Context) ([]row, error){s.deploys, s.hundred, s.comeBack, s.takeOver, s.crashes} {
		more, err := part(ctx)
		rows = append(rows, more...)
		if err != nil {
			return rows, err
		}
	}
	return append(rows, forkYardstick("F after")), nil
}

// serviceBench is a cluster with marathonish and the example web service.
type serviceBench struct {
	u    *upCluster
	m    *marathon
	web  string
	dir  string
	next int // the port of the next service
}

func startServices(ctx context.Context, o options) (*serviceBench, error) {
	dir, err := os.MkdirTemp(o.dir, "proffer-bench-web-")
	if err != nil {
		return nil, err
	}
	s := &serviceBench{dir: dir, next: 27000}
	if err := os.Chmod(dir, 0o777); err != nil {
		return nil, err
	}
	if s.web, err = buildWeb(ctx, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if s.u, err = startUp(ctx, o, "cpus:1000;mem:200000;ports:[27000-27999]", booted()...); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.m = newMarathon(s.u)
	if err := s.m.await(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *serviceBench) stop() {
	s.u.stop()
	_ = os.RemoveAll(s.dir)
}

// app is one instance of the web service on a port of its own, checked every second.
func (s *serviceBench) app(id string) benchApp {
	at := s.next
	s.next++
	none := 0
	return benchApp{ID: id, Cmd: "exec " + s.web, Instances: 1, CPUs: 0.1, Mem: 64, Ports: []int{at}, RequirePorts: true, BackoffSeconds: &none,
		Env:          map[string]string{"TRUTH": s.truth(id)},
		HealthChecks: []benchCheck{{Protocol: "HTTP", Path: "/health", IntervalSeconds: 1, GracePeriodSeconds: 10}}}
}

// truth is where the instances of an app write who they are.
func (s *serviceBench) truth(id string) string { return filepath.Join(s.dir, id[1:]+".truth") }

func (s *serviceBench) url(a benchApp) string { return fmt.Sprintf("http://127.0.0.1:%d/", a.Ports[0]) }

// isHealthy waits until an app's only instance is.
func (s *serviceBench) isHealthy(ctx context.Context, id string) error {
	return poll(ctx, 20*time.Second, 5*time.Millisecond, id+" is healthy", func() error {
		n, err := s.m.healthy(ctx, id)
		if err == nil && n != 1 {
			err = fmt.Errorf("%d healthy", n)
		}
		return err
	})
}

// pid is the process of an app's newest instance, by its own word.
func (s *serviceBench) pid(id string) (int, error) {
	data, err := os.ReadFile(s.truth(id))
	if err != nil {
		return 0, err
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	// start pid=1 born=2 index=0 at=…; the last that started counts.
	for _, line := range slices.Backward(lines) {
		if text, ok := strings.CutPrefix(line, "start pid="); ok {
			text, _, _ = strings.Cut(text, " ")
			return strconv.Atoi(text)
		}
	}
	return 0, fmt.Errorf("%s has no start yet", s.truth(id))
}

// deploys is perf-16 with one service: from the POST to the first answer, and to healthy.
func (s *serviceBench) deploys(ctx context.Context) ([]row, error) {
	client := fresh()
	var answer, healthy []float64
	for i := range deployRepeats {
		a := s.app(fmt.Sprintf("/one%d", i))
		begin := time.Now()
		if err := s.m.call(ctx, http.MethodPost, "/v2/apps", a, nil); err != nil {
			return nil, err
		}
		if err := poll(ctx, 20*time.Second, time.Millisecond, a.ID+" answers", func() error { return answers(ctx, client, s.url(a)) }); err != nil {
			return nil, err
		}
		answer = append(answer, time.Since(begin).Seconds())
		if err := s.isHealthy(ctx, a.ID); err != nil {
			return nil, err
		}
		healthy = append(healthy, time.Since(begin).Seconds())
	}
	note := fmt.Sprintf("answers %s; healthy %s; load %s", list(answer), list(healthy), loadAverage())
	return []row{
		row{ID: "perf-16", What: "one service: submit to its first answer", Figure: median(answer), Unit: "s", Note: note}.atMost(0.15),
		row{ID: "perf-16", What: "one service: submit to healthy", Figure: median(healthy), Unit: "s"}.atMost(0.4),
	}, nil
}

// hundred is perf-16 with a hundred services submitted at once.
func (s *serviceBench) hundred(ctx context.Context) ([]row, error) {
	const clients = 4
	apps := make(chan benchApp, manyServices)
	for i := range manyServices {
		apps <- s.app(fmt.Sprintf("/many%d", i))
	}
	close(apps)
	begin := time.Now()
	failed := make(chan error, clients)
	for range clients {
		go func() {
			var err error
			for a := range apps {
				err = errors.Join(err, s.m.call(ctx, http.MethodPost, "/v2/apps", a, nil))
			}
			failed <- err
		}()
	}
	for range clients {
		if err := <-failed; err != nil {
			return nil, err
		}
	}
	err := poll(ctx, time.Minute, 50*time.Millisecond, "all services are healthy", func() error {
		var all struct {
			Apps []healthyCount `json:"apps"`
		}
		if err := s.m.call(ctx, http.MethodGet, "/v2/apps?id=many", nil, &all); err != nil {
			return err
		}
		n := 0
		for _, a := range all.Apps {
			n += a.Healthy
		}
		if n < manyServices {
			return fmt.Errorf("%d of %d", n, manyServices)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	took := time.Since(begin).Seconds()
	for i := range manyServices {
		if err := s.m.call(ctx, http.MethodDelete, fmt.Sprintf("/v2/apps/many%d", i), nil, nil); err != nil {
			return nil, err
		}
	}
	err = poll(ctx, time.Minute, 50*time.Millisecond, "the services are gone", func() error {
		var running []struct{}
		if err := s.m.call(ctx, http.MethodGet, "/v2/deployments", nil, &running); err != nil {
			return err
		}
		if len(running) > 0 {
			return fmt.Errorf("%d deployments", len(running))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return []row{row{ID: "perf-16", What: fmt.Sprintf("%d services at once: all healthy", manyServices), Figure: took, Unit: "s"}.atMost(5)}, nil
}

// comeBack is perf-17: from kill -9 of a healthy task to the next answer.
func (s *serviceBench) comeBack(ctx context.Context) ([]row, error) {
	all, err := s.killed(ctx, "/back", serviceKills, serviceLife, func() error { return nil })
	if err != nil {
		return nil, err
	}
	p99 := all[min(len(all)-1, len(all)*99/100)]
	note := fmt.Sprintf("n=%d, min %s, max %s; load %s", len(all), figure(all[0]), figure(all[len(all)-1]), loadAverage())
	return []row{
		row{ID: "perf-17", What: "kill -9 of a healthy service to its next answer, p50", Figure: median(all), Unit: "s", Note: note}.atMost(0.1),
		row{ID: "perf-17", What: "the same, p99", Figure: p99, Unit: "s"}.atMost(0.3),
	}, nil
}

// takeOver kills marathonish together with a service: how soon that death is handled.
func (s *serviceBench) takeOver(ctx context.Context) ([]row, error) {
	all, err := s.killed(ctx, "/over", handovers, frameworkLife, func() error {
		pid, err := s.u.pidOf("marathonish")
		if err != nil {
			return err
		}
		return kill9(pid)
	})
	if err != nil {
		return nil, err
	}
	return []row{row{ID: "takeover", What: "kill -9 of marathonish and of a service to the service's next answer", Figure: median(all), Unit: "s", Note: "all " + list(all)}.atMost(3)}, nil
}

// How long an instance, or marathonish, lives before it is killed: who dies sooner is started
// again after a pause, which is another figure.
const (
	serviceLife   = 1100 * time.Millisecond
	frameworkLife = 6 * time.Second
)

// killed kills an app's instance n times, each a while after it has become healthy, and
// whatever else is to die with it, and tells in order of size how many seconds each took to
// answer again.
func (s *serviceBench) killed(ctx context.Context, id string, n int, life time.Duration, also func() error) ([]float64, error) {
	client, a := fresh(), s.app(id)
	if err := s.m.call(ctx, http.MethodPost, "/v2/apps", a, nil); err != nil {
		return nil, err
	}
	var all []float64
	for range n {
		if err := s.isHealthy(ctx, id); err != nil {
			return nil, err
		}
		if err := pause(ctx, life); err != nil {
			return nil, err
		}
		pid, err := s.pid(id)
		if err != nil {
			return nil, err
		}
		if err := also(); err != nil {
			return nil, err
		}
		begin := time.Now()
		if err := kill9(pid); err != nil {
			return nil, fmt.Errorf("kill process %d of %s: %w", pid, id, err)
		}
		if err := poll(ctx, 30*time.Second, time.Millisecond, id+" answers again", func() error {
			if now, err := s.pid(id); err != nil || now == pid {
				return errors.New("no new instance yet")
			}
			return answers(ctx, client, s.url(a))
		}); err != nil {
			return nil, err
		}
		all = append(all, time.Since(begin).Seconds())
	}
	slices.Sort(all)
	return all, nil
}

// crashes is perf-17's crash loop: what an app that ends at once costs, with the default
// backoff, beside an idle cluster with a few services.
func (s *serviceBench) crashes(ctx context.Context) ([]row, error) {
	quiet := 10 * time.Second
	at := s.u.cpu()
	if err := pause(ctx, quiet); err != nil {
		return nil, err
	}
	base := (s.u.cpu() - at).Seconds() / quiet.Seconds()
	at = s.u.cpu()
	if err := s.m.call(ctx, http.MethodPost, "/v2/apps", benchApp{ID: "/crash", Cmd: "exit 1", Instances: 1, CPUs: 0.1, Mem: 32, Ports: []int{}}, nil); err != nil {
		return nil, err
	}
	if err := pause(ctx, crashLoop); err != nil {
		return nil, err
	}
	used := (s.u.cpu()-at).Seconds()/crashLoop.Seconds() - base
	return []row{row{ID: "perf-17", What: "a crash loop with the default backoff, its first 60 s, beyond the idle cluster", Figure: used, Unit: "core",
		Note: fmt.Sprintf("idle with %d services: %s core", deployRepeats+2, figure(base))}.atMost(0.02)}, nil
}

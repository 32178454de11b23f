package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The times of perf-6.
const (
	idleWarm = 10 * time.Second
	idleFor  = 60 * time.Second
)

// idle is perf-6: what a whole cluster costs that has nothing to do. It is what `proffer
// up` makes of itself: master with init, agent, launcher, marathonish, chronosish and
// their executors; one job has run, so that chronosish's executor is there too, until the
// agent ends it.
func idle(ctx context.Context, o options) ([]row, error) {
	largest, sizes, err := binarySizes(o)
	if err != nil {
		return nil, err
	}
	u, err := startCluster(ctx, o)
	if err != nil {
		return nil, err
	}
	defer u.stop()
	c := newChronos(u)
	if err := c.await(ctx); err != nil {
		return nil, err
	}
	once := benchJob{Name: "once", Command: "true", Shell: true, CPUs: 0.1, Mem: 32, Schedule: "R1//PT1H"}
	if err := c.create(ctx, once); err != nil {
		return nil, err
	}
	if err := poll(ctx, 20*time.Second, 100*time.Millisecond, "the job has run", func() error { return c.succeeded(ctx, once.Name) }); err != nil {
		return nil, err
	}
	if err := pause(ctx, idleWarm); err != nil {
		return nil, err
	}
	first, begin := u.uses(), time.Now()
	if err := pause(ctx, idleFor); err != nil {
		return nil, err
	}
	last, took := u.uses(), time.Since(begin)
	cores, memory := totals(first, last, took)
	return []row{
		row{ID: "perf-6", What: "the whole cluster idle, PSS of all processes", Figure: float64(max(sumPSS(first), sumPSS(last))) / 1e6, Unit: "MB", Note: memory}.atMost(90),
		row{ID: "perf-6", What: fmt.Sprintf("the same over %v", idleFor), Figure: cores.sum, Unit: "core", Note: cores.text + "; load " + loadAverage()}.atMost(0.01),
		row{ID: "perf-6", What: "the largest stripped binary", Figure: float64(largest) / 1e6, Unit: "MB", Note: sizes}.atMost(30),
	}, nil
}

// coreUse is the processor time of the cluster, and of its processes as text.
type coreUse struct {
	sum  float64
	text string
}

// totals are the cores used between two looks at the processes, one by one and in sum, and
// the memory of each at the first look.
func totals(first, last map[int]use, took time.Duration) (coreUse, string) {
	var c coreUse
	var cores, memory []string
	for _, pid := range byCost(first, last) {
		was, is := first[pid], last[pid]
		if is.what == "" { // ended meanwhile; its time is its parent's now
			is.what = was.what
		}
		used := (is.cpu - was.cpu).Seconds() / took.Seconds()
		c.sum += used
		cores = append(cores, fmt.Sprintf("%s %.4f", is.what, used))
		if was.pss > 0 {
			memory = append(memory, fmt.Sprintf("%s %.1f", was.what, float64(was.pss)/1e6))
		}
	}
	c.text = strings.Join(cores, ", ")
	return c, strings.Join(memory, ", ")
}

// byCost are the processes of both looks, those that used most first.
func byCost(first, last map[int]use) []int {
	var pids []int
	for pid := range last {
		pids = append(pids, pid)
	}
	for pid := range first {
		if _, ok := last[pid]; !ok {
			pids = append(pids, pid)
		}
	}
	cost := func(pid int) time.Duration { return last[pid].cpu - first[pid].cpu }
	slices.SortFunc(pids, func(x, y int) int { return int(cost(y) - cost(x)) })
	return pids
}

func sumPSS(all map[int]use) int64 {
	var sum int64
	for _, x := range all {
		sum += x.pss
	}
	return sum
}

// binarySizes are the sizes of the binaries that a cluster is made of, and the largest.
func binarySizes(o options) (largest int64, text string, err error) {
	bin, err := o.binary()
	if err != nil {
		return 0, "", err
	}
	var parts []string
	for _, name := range []string{"proffer", "proffer-executor"} {
		info, err := os.Stat(filepath.Join(filepath.Dir(bin), name))
		if err != nil {
			return 0, "", err
		}
		largest = max(largest, info.Size())
		parts = append(parts, fmt.Sprintf("%s %.1f", name, float64(info.Size())/1e6))
	}
	return largest, strings.Join(parts, ", "), nil
}

// pause waits so long.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package main

import (
	"context"
	"fmt"
	"time"
)

// eachSecond is perf-20 with one job, which is due each second.
func (j *jobBench) eachSecond(ctx context.Context) ([]row, error) {
	r, err := j.repeated(ctx, "second", 1, secondly, time.Second)
	if err != nil {
		return nil, err
	}
	return []row{row{ID: "perf-20", What: "one job each second: lag of its start, p99", Figure: r.lags.p(99), Unit: "ms", Note: r.note()}.atMost(50)}, nil
}

// eachTen is perf-20 with a hundred jobs, which are due together each ten seconds.
func (j *jobBench) eachTen(ctx context.Context) ([]row, error) {
	r, err := j.repeated(ctx, "ten", tenfold, tenfoldRuns, 10*time.Second)
	if err != nil {
		return nil, err
	}
	return []row{row{ID: "perf-20", What: fmt.Sprintf("%d jobs each 10 s: lag, p99", tenfold), Figure: r.lags.p(99), Unit: "ms", Note: r.note()}.atMost(600)}, nil
}

// together is perf-19: many jobs that are due in one second, each one task.
func (j *jobBench) together(ctx context.Context) ([]row, error) {
	r, err := j.repeated(ctx, "once", atOnce, 1, time.Hour)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("%d jobs due in the same second: lag", atOnce)
	return []row{
		row{ID: "perf-19", What: what + ", the first", Figure: r.lags.p(0), Unit: "ms", Note: r.note()}.atMost(50),
		row{ID: "perf-19", What: what + ", p50", Figure: r.lags.p(50), Unit: "ms"}.atMost(3100),
		row{ID: "perf-19", What: what + ", p99", Figure: r.lags.p(99), Unit: "ms"}.atMost(5800),
		row{ID: "perf-19", What: "the same: processor time of the whole tree", Figure: r.cost, Unit: "CPU-ms/fire"}.atMost(10),
		row{ID: "perf-19", What: "the same: slots lost or run twice", Figure: float64(r.lost + r.doubled), Unit: "slots"}.atMost(0),
	}, nil
}

// result is what became of the slots of one row.
type result struct {
	lags          lags
	cost, own     float64 // CPU-ms a fire over the whole tree, and of these the job's own
	core          float64
	lost, doubled int
	create        float64 // jobs a second
	createCost    float64 // CPU-ms a job over the whole tree
}

func (r result) note() string {
	return fmt.Sprintf("%v; %d lost, %d doubled; %s CPU-ms a fire, of these %s its own; load %s", r.lags, r.lost, r.doubled, figure(r.cost), figure(r.own), loadAverage())
}

// repeated runs n jobs so many times each, all at the same instants, an interval apart.
func (j *jobBench) repeated(ctx context.Context, prefix string, n, times int, interval time.Duration) (result, error) {
	r := result{own: j.own}
	file, err := j.file(prefix)
	if err != nil {
		return r, err
	}
	at := soon(2*time.Second + time.Duration(n)*5*time.Millisecond)
	schedule := fmt.Sprintf("R%d/%s/PT%dS", times, iso(at), int(interval.Seconds()))
	name := number(prefix)
	if r.create, r.createCost, err = j.makes(ctx, n, func(i int) benchJob { return j.job(name(i), schedule, file) }); err != nil {
		return r, err
	}
	if err := pause(ctx, time.Until(at.Add(-time.Second))); err != nil {
		return r, err
	}
	cpu, slots := j.u.cpu(), n*times
	fires, err := j.all(ctx, file, name(0), slots, time.Duration(times)*interval+time.Minute)
	if err != nil {
		return r, err
	}
	r.lags = lagsOf(fires)
	r.cost = ms(j.u.cpu()-cpu) / float64(slots)
	r.lost, r.doubled = settled(fires, slots)
	return r, j.removes(ctx, n, name)
}

// manyStored is perf-22: what a store of jobs costs of which a few are due each second,
// beyond as many fires of a few jobs that are alone.
func (j *jobBench) manyStored(ctx context.Context) ([]row, error) {
	few, err := j.steady(ctx, "few", perSecond, time.Second)
	if err != nil {
		return nil, err
	}
	many, err := j.steady(ctx, "many", stored, stored/perSecond*time.Second)
	if err != nil {
		return nil, err
	}
	pid, err := j.u.pidOf("chronosish")
	if err != nil {
		return nil, err
	}
	master, err := j.u.pidOf("master")
	if err != nil {
		return nil, err
	}
	note := fmt.Sprintf("%s core, and %s with %d jobs alone; master's PSS %.0f MB; load %s", figure(many.core), figure(few.core), perSecond, float64(pss(master))/1e6, loadAverage())
	what := fmt.Sprintf("%d jobs stored, %d due each second: ", stored, perSecond)
	return []row{
		row{ID: "perf-22", What: what + "beyond the fires", Figure: many.core - few.core, Unit: "core", Note: note}.atMost(0.05),
		row{ID: "perf-22", What: what + "lag, p99", Figure: many.lags.p(99), Unit: "ms", Note: many.note()}.atMost(100),
		row{ID: "perf-22", What: what + "chronosish's memory", Figure: float64(rss(pid)) / 1e6, Unit: "MB RSS"}.atMost(200),
		row{ID: "perf-22", What: fmt.Sprintf("create %d jobs, %d clients", stored, writeClients), Figure: many.create, Unit: "jobs/s", Note: figure(many.createCost) + " CPU-ms each"}.atLeast(1000),
	}, nil
}

// steady stores n jobs, of which perSecond are due each second, and looks at them for a
// while.
func (j *jobBench) steady(ctx context.Context, prefix string, n int, interval time.Duration) (result, error) {
	r := result{own: j.own}
	file, err := j.file(prefix)
	if err != nil {
		return r, err
	}
	at := soon(5*time.Second + time.Duration(n)*4*time.Millisecond) // slower creation than that would lose slots
	name := number(prefix)
	r.create, r.createCost, err = j.makes(ctx, n, func(i int) benchJob {
		first := at.Add(time.Duration(i/perSecond) * time.Second % interval)
		return j.job(name(i), fmt.Sprintf("R/%s/PT%dS", iso(first), int(interval.Seconds())), file)
	})
	if err != nil {
		return r, err
	}
	if err := pause(ctx, time.Until(at.Add(-500*time.Millisecond))); err != nil {
		return r, err
	}
	cpu, begin := j.u.cpu(), time.Now()
	if err := pause(ctx, storedFor); err != nil {
		return r, err
	}
	used, took := j.u.cpu()-cpu, time.Since(begin)
	slots := int(storedFor/time.Second) * perSecond
	fires, err := readFires(file)
	if err != nil {
		return r, err
	}
	r.core, r.cost = used.Seconds()/took.Seconds(), ms(used)/float64(slots)
	r.lags = lagsOf(fires)
	r.lost, r.doubled = settled(fires, slots)
	return r, j.removes(ctx, n, name)
}

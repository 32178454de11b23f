package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// The sizes of the cron benches.
const (
	atOnce      = 1000
	secondly    = 100 // seconds with one job each
	tenfold     = 100
	tenfoldRuns = 5 // of each of them
	stored      = 10000
	perSecond   = 10 // of those that are stored
	storedFor   = 40 * time.Second
	startBound  = 20 * time.Second // for the first of the jobs of a row
)

// jobs measures chronosish: how late jobs start, what each costs, and what many cost that
// only wait.
func jobs(ctx context.Context, o options) ([]row, error) {
	rows := []row{forkYardstick("F")}
	j, err := startJobs(ctx, o)
	if err != nil {
		return rows, err
	}
	defer j.stop()
	for _, part := range []func(context.Context) ([]row, error){j.eachSecond, j.eachTen, j.together, j.manyStored} {
		more, err := part(ctx)
		rows = append(rows, more...)
		if err != nil {
			return rows, err
		}
	}
	return append(rows, forkYardstick("F after")), nil
}

// jobBench is a cluster with chronosish, and the job of the benches.
type jobBench struct {
	u       *upCluster
	c       *chronos
	dir     string
	program string
	own     float64 // CPU-ms that the program takes by itself
}

func startJobs(ctx context.Context, o options) (*jobBench, error) {
	dir, err := os.MkdirTemp(o.dir, "proffer-bench-jobs-")
	if err != nil {
		return nil, err
	}
	j := &jobBench{dir: dir}
	err = os.Chmod(dir, 0o755)
	if err == nil {
		j.program, j.own, err = buildStamp(ctx, dir)
	}
	if err == nil {
		j.u, err = startUp(ctx, o, plenty+";disk:1000000", booted()...)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	j.c = newChronos(j.u)
	if err := j.c.await(ctx); err != nil {
		j.stop()
		return nil, err
	}
	return j, nil
}

func (j *jobBench) stop() {
	j.u.stop()
	_ = os.RemoveAll(j.dir)
}

// job is one that writes its start into the file.
func (j *jobBench) job(name, schedule, file string) benchJob {
	return benchJob{Name: name, Command: j.program, Arguments: []string{file}, Schedule: schedule, Epsilon: "PT1M", CPUs: 0.01, Mem: 32, Disk: 1}
}

// file makes the file that the jobs of one row write into.
func (j *jobBench) file(row string) (string, error) {
	name := filepath.Join(j.dir, row)
	if err := os.WriteFile(name, nil, 0o666); err != nil {
		return "", err
	}
	return name, os.Chmod(name, 0o666) // whatever the umask says
}

// iso is an instant as schedules write it.
func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// soon is the first whole second that is so far ahead at least.
func soon(ahead time.Duration) time.Time {
	return time.Now().Add(ahead + time.Second).Truncate(time.Second)
}

// makes creates n jobs with the clients of perf-14 and tells how many a second, and what
// one costs the cluster.
func (j *jobBench) makes(ctx context.Context, n int, job func(i int) benchJob) (perSecond, cpuMs float64, err error) {
	cpu, begin := j.u.cpu(), time.Now()
	_, err = together(writeClients, n, func(i int) error { return j.c.create(ctx, job(i)) })
	return float64(n) / time.Since(begin).Seconds(), ms(j.u.cpu()-cpu) / float64(n), err
}

// removes deletes n jobs.
func (j *jobBench) removes(ctx context.Context, n int, name func(i int) string) error {
	_, err := together(writeClients, n, func(i int) error { return j.c.remove(ctx, name(i)) })
	return err
}

// all waits until as many have started as there are slots, and a moment longer for any
// that should not. That none of them starts is an error, and any one of the jobs is asked why.
func (j *jobBench) all(ctx context.Context, file, anyJob string, slots int, bound time.Duration) ([]fire, error) {
	have := func(n int) func() error {
		return func() error {
			fires, err := readFires(file)
			if err == nil && len(fires) < n {
				err = fmt.Errorf("%d have", len(fires))
			}
			return err
		}
	}
	if err := poll(ctx, startBound, 100*time.Millisecond, "a job has started", have(1)); err != nil {
		var why json.RawMessage
		return nil, errors.Join(err, j.c.call(ctx, http.MethodGet, "/v2/jobs/"+anyJob+"/history?limit=2", nil, &why), fmt.Errorf("%s: %s", anyJob, why))
	}
	_ = poll(ctx, bound, 100*time.Millisecond, "all jobs have started", have(slots)) // what is missing stands in the figures
	if err := pause(ctx, time.Second); err != nil {
		return nil, err
	}
	return readFires(file)
}

// settled tells how many of the slots did not run, and how many ran more than once.
func settled(fires []fire, slots int) (lost, doubled int) {
	seen := map[string]int{}
	for _, f := range fires {
		seen[f.slot]++
	}
	for _, n := range seen {
		doubled += n - 1
	}
	return slots - len(seen), doubled
}

func number(prefix string) func(i int) string {
	return func(i int) string { return fmt.Sprintf("%s%d", prefix, i) }
}

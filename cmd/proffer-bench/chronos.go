package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// chronos is a client of chronosish: the few calls that the benches need.
type chronos struct{ *rest }

func newChronos(u *upCluster) *chronos { return &chronos{newRest(u, "chronosish")} }

// benchJob is a job of the benches: the fields that they set.
type benchJob struct {
	Name      string   `json:"name"`
	Command   string   `json:"command"`
	Shell     bool     `json:"shell"`
	Arguments []string `json:"arguments,omitempty"`
	Schedule  string   `json:"schedule"`
	Epsilon   string   `json:"epsilon,omitempty"`
	CPUs      float64  `json:"cpus"`
	Mem       float64  `json:"mem"`
	Disk      float64  `json:"disk"` // 0 is the default of 256
}

func (c *chronos) create(ctx context.Context, j benchJob) error {
	return c.call(ctx, http.MethodPost, "/v1/scheduler/iso8601", j, nil)
}

func (c *chronos) remove(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, "/v1/scheduler/job/"+name, nil, nil)
}

// succeeded is an error unless the job has a success.
func (c *chronos) succeeded(ctx context.Context, name string) error {
	var j struct {
		Successes int `json:"successCount"`
	}
	if err := c.call(ctx, http.MethodGet, "/v1/scheduler/job/"+name, nil, &j); err != nil {
		return err
	}
	if j.Successes == 0 {
		return fmt.Errorf("job %s has no success", name)
	}
	return nil
}

// fire is the start of one attempt, by its own word.
type fire struct {
	slot    string // its job and nominal time
	attempt int
	lag     time.Duration // from the nominal time
}

// stampYardstick is how often the job of the benches is run to see what it costs by itself.
const stampYardstick = 200

// buildStamp builds the job of the benches into dir and tells how many milliseconds of
// processor time it takes by itself: the bench runs in a checkout.
func buildStamp(ctx context.Context, dir string) (program string, cost float64, err error) {
	program = filepath.Join(dir, "stamp")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./cmd/proffer-bench/testdata/stamp")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", 0, fmt.Errorf("build the job (run the bench in the checkout): %w: %s", err, text)
	}
	if err := os.Chmod(program, 0o755); err != nil {
		return "", 0, err
	}
	var used time.Duration
	for range stampYardstick {
		once := exec.CommandContext(ctx, program, os.DevNull)
		if err := once.Run(); err != nil {
			return "", 0, fmt.Errorf("run the job: %w", err)
		}
		used += once.ProcessState.UserTime() + once.ProcessState.SystemTime()
	}
	return program, ms(used) / stampYardstick, nil
}

// readFires reads what the jobs have written.
func readFires(file string) ([]fire, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []fire
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) != 4 {
			return nil, fmt.Errorf("%s: %q is no line of a job", file, line)
		}
		var n [3]int64
		for i := range n {
			if n[i], err = strconv.ParseInt(f[i+1], 10, 64); err != nil {
				return nil, fmt.Errorf("%s: %q: %w", file, line, err)
			}
		}
		all = append(all, fire{slot: f[0] + "@" + f[1], attempt: int(n[1]), lag: time.Unix(0, n[2]).Sub(time.UnixMilli(n[0]))})
	}
	return all, nil
}

// lags are the lags of fires in milliseconds, in order of size.
type lags []float64

func lagsOf(fires []fire) lags {
	var all lags
	for _, f := range fires {
		all = append(all, ms(f.lag))
	}
	slices.Sort(all)
	return all
}

// p is the percentile: the smallest that is not exceeded by so many of a hundred.
func (l lags) p(percent int) float64 {
	if len(l) == 0 {
		return 0
	}
	return l[max(0, (len(l)*percent+99)/100-1)]
}

func (l lags) String() string {
	return fmt.Sprintf("n=%d, first %s, p50 %s, p99 %s, max %s ms", len(l), figure(l.p(0)), figure(l.p(50)), figure(l.p(99)), figure(l.p(100)))
}

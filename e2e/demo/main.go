package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	bound      = 2 * time.Minute // how long the whole tour may take
	buildBound = 5 * time.Minute // for the programs that it needs, before the clock starts
)

// step is one stop of the tour.
type step struct {
	key  string // what PROFFER_DEMO_ONLY calls it; empty for what every tour needs
	what string
	run  func(t *tour, ctx context.Context) error
}

func steps() []step {
	return []step{
		{"", "a cluster of one master and two agents serves", (*tour).startUp},
		{"status", "`status` says that it is healthy", (*tour).status},
		{"hello", "`run -- echo hello` prints hello", (*tour).hello},
		{"exit", "a task runs as nobody, and its exit code 7 comes back", (*tour).exitCode},
		{"detach", "a detached task is listed by `ps`, and `logs` shows what it writes", (*tour).detach},
		{"agent", "kill -9 of its agent: the task keeps its pid and loses no line", (*tour).killAgent},
		{"kill", "`kill` ends it", (*tour).kill},
		{"wordcount", "the word count maps on both agents and agrees with a direct count", (*tour).wordcount},
		{"service", "three instances of a web service come up healthy through `service deploy`", (*tour).deployWeb},
		{"service", "one is killed with SIGKILL: another comes up in its place, with its index", (*tour).comeBack},
		{"service", "a rolling update under load: no request fails", (*tour).update},
		{"jobs", "a job is to run every two seconds, three times", (*tour).everyTwoSeconds},
		{"jobs", "the word count as jobs: a split, eight mappers on two agents of which one is killed, a reducer", (*tour).countByJobs},
		{"jobs", "the job of every two seconds has run exactly three times, by what its runs wrote", (*tour).threeTimes},
		{"", "ctrl-C stops everything and leaves nothing behind", (*tour).stop},
	}
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := play(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// play runs the tour and cleans up after it.
func play(ctx context.Context) error {
	t, err := newTour()
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.buildAll(ctx); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, bound)
	defer stop()
	begin := time.Now()
	for i, s := range steps() {
		if !played(s.key) {
			continue
		}
		at := time.Now()
		if err := s.run(t, ctx); err != nil {
			return fmt.Errorf("step %d did not happen: %s: %w", i+1, s.what, err)
		}
		fmt.Printf("%d  %6.2f s  %s\n", i+1, time.Since(at).Seconds(), s.what)
	}
	fmt.Printf("   %6.2f s  in all\n", time.Since(begin).Seconds())
	return nil
}

// buildAll builds the examples that are played, before the clock starts.
func (t *tour) buildAll(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, buildBound)
	defer stop()
	if played("wordcount") {
		if err := t.build(ctx, example("frameworks", "wordcount"), "wordcount"); err != nil {
			return err
		}
	}
	if played("service") {
		return t.build(ctx, example("apps", "web"), "web")
	}
	return nil
}

// played tells whether a step is part of the tour: a test may look at one alone.
func played(key string) bool {
	only := os.Getenv("PROFFER_DEMO_ONLY")
	return only == "" || key == "" || key == only
}

// newTour finds the binaries and makes a directory that a task's user can reach.
func newTour() (*tour, error) {
	bin, err := filepath.Abs("bin")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(bin, "proffer")); err != nil {
		return nil, fmt.Errorf("bin/proffer is not there; `make build` makes it: %w", err)
	}
	dir, err := os.MkdirTemp("", "proffer-demo-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	return &tour{bin: filepath.Join(bin, "proffer"), dir: dir}, nil
}

// command is `proffer args…`, aimed at the tour's own cluster.
func (t *tour) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.bin, args...)
	cmd.Env = append(os.Environ(), "PROFFER_DIR="+t.state(), "PROFFER_ADDR=", "PROFFER_TOKEN=")
	return cmd
}

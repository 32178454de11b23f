package words

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Options say what to play, and where.
type Options struct {
	// Command is `proffer args…`, aimed at the cluster.
	Command func(ctx context.Context, args ...string) *exec.Cmd
	// Example is the directory of the jobs and their script.
	Example string
	// Dir is what the jobs share; their user must be able to write there.
	Dir string
	// Goroot has the sources that are the text.
	Goroot string
}

// Report is what was seen.
type Report struct {
	Words, Different int
	Hosts            []string // where the mappers ran
}

const (
	size    = 20 << 20 // of the text, in bytes
	mappers = "abcdefgh"
	victim  = "c" // the mapper that is killed: it sleeps in its first attempt
	retry   = 100 * time.Millisecond
)

// Play makes the text, has it counted, kills a mapper meanwhile, and compares. An error
// says what was not as it has to be.
func Play(ctx context.Context, o Options) (Report, error) {
	text, err := Text(o.Goroot, size)
	if err != nil {
		return Report{}, err
	}
	if err := os.WriteFile(filepath.Join(o.Dir, "text"), text, 0o644); err != nil {
		return Report{}, err
	}
	for _, args := range [][]string{
		{"job", "create", "--file", filepath.Join(o.Example, "words.sh"), "--env", "WORDS_DIR=" + o.Dir, filepath.Join(o.Example, "wordcount.yaml")},
		{"job", "run", "words-split"},
	} {
		if _, err := o.proffer(ctx, args...); err != nil {
			return Report{}, err
		}
	}
	if err := o.kill(ctx); err != nil {
		return Report{}, err
	}
	if err := o.await(ctx, "words-check"); err != nil {
		return Report{}, err
	}
	hosts, err := o.judge(ctx)
	if err != nil {
		return Report{}, err
	}
	result, err := os.ReadFile(filepath.Join(o.Dir, "result"))
	if err != nil {
		return Report{}, err
	}
	direct := Count(text)
	if err := Compare(string(result), direct); err != nil {
		return Report{}, err
	}
	r := Report{Different: len(direct), Hosts: hosts}
	for _, n := range direct {
		r.Words += n
	}
	return r, nil
}

// proffer runs a command of the client, and gives what it has printed.
func (o *Options) proffer(ctx context.Context, args ...string) (string, error) {
	var said strings.Builder
	cmd := o.Command(ctx, args...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("`proffer %s`: %w: %s", strings.Join(args, " "), err, said.String())
	}
	return string(out), err
}

// kill waits for the victim to say its pid, and kills it.
func (o *Options) kill(ctx context.Context) error {
	return o.until(ctx, "the mapper that is to be killed runs", func() (bool, error) {
		said, err := os.ReadFile(filepath.Join(o.Dir, "pid-"+victim))
		pid, none := strconv.Atoi(strings.TrimSpace(string(said)))
		if err != nil || none != nil {
			return false, nil // not yet, or not whole
		}
		return true, syscall.Kill(pid, syscall.SIGKILL)
	})
}

// await waits until a job has succeeded; an attempt that failed is the end of it.
func (o *Options) await(ctx context.Context, name string) error {
	return o.until(ctx, name+" has ended", func() (bool, error) {
		runs, err := o.history(ctx, name)
		if err != nil || len(runs) == 0 {
			return false, err
		}
		if runs[0].Outcome != "SUCCEEDED" {
			said, _ := o.proffer(ctx, "job", "logs", "--stderr", name)
			return false, fmt.Errorf("%s is %s: %s", name, runs[0].Outcome, said)
		}
		return true, nil
	})
}

// attempt is what the history tells of one.
type attempt struct {
	Attempt int    `json:"attempt"`
	Outcome string `json:"outcome"`
	Host    string `json:"host"`
	Signal  *int   `json:"signal"`
}

// history are the attempts of a job that have ended, newest first.
func (o *Options) history(ctx context.Context, name string) ([]attempt, error) {
	out, err := o.proffer(ctx, "job", "history", name, "--json")
	if err != nil {
		return nil, err
	}
	var h struct {
		History []attempt `json:"history"`
	}
	if err := json.Unmarshal([]byte(out), &h); err != nil {
		return nil, fmt.Errorf("the history of %s: %w", name, err)
	}
	return h.History, nil
}

// judge looks at what the mappers did: the victim ended by the signal and ran again, the
// others ran once, and together they were on at least two agents, by what the history says
// and by what they themselves have written.
func (o *Options) judge(ctx context.Context) ([]string, error) {
	var hosts []string
	for _, letter := range strings.Split(mappers, "") {
		name := "words-map-" + letter
		runs, err := o.history(ctx, name)
		if err != nil {
			return nil, err
		}
		want := 1
		if letter == victim {
			want = 2
		}
		if len(runs) != want || runs[0].Outcome != "SUCCEEDED" || runs[0].Attempt != want-1 {
			return nil, fmt.Errorf("the attempts of %s are %+v", name, runs)
		}
		if letter == victim && (runs[1].Outcome != "FAILED" || runs[1].Signal == nil || *runs[1].Signal != int(syscall.SIGKILL)) {
			return nil, fmt.Errorf("the first attempt of %s, which was killed, is %+v", name, runs[1])
		}
		wrote, err := os.ReadFile(filepath.Join(o.Dir, "host-"+letter))
		if err != nil {
			return nil, err
		}
		if host := strings.TrimSpace(string(wrote)); host != runs[0].Host {
			return nil, fmt.Errorf("%s ran on %s, and the history says %s", name, host, runs[0].Host)
		}
		hosts = append(hosts, runs[0].Host)
	}
	slices.Sort(hosts)
	if hosts = slices.Compact(hosts); len(hosts) < 2 {
		return nil, fmt.Errorf("all mappers ran on %s", hosts)
	}
	return hosts, nil
}

// until asks check again and again until it holds, it fails, or ctx ends.
func (o *Options) until(ctx context.Context, what string, check func() (bool, error)) error {
	tick := time.NewTicker(retry)
	defer tick.Stop()
	for {
		done, err := check()
		if err != nil || done {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("not yet: %s", what), context.Cause(ctx))
		}
	}
}

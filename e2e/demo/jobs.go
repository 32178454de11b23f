package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/profferhq/proffer/e2e/words"
)

// share is a directory in which tasks of any user may write.
func (t *tour) share(name string) (string, error) {
	dir := filepath.Join(t.dir, name)
	return dir, errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(dir, 0o777|os.ModeSticky))
}

// everyTwoSeconds creates the job; its runs write their slots into a file.
func (t *tour) everyTwoSeconds(ctx context.Context) error {
	dir, err := t.share("every")
	if err != nil {
		return err
	}
	t.slots = filepath.Join(dir, "slots")
	cmd := t.command(ctx, "job", "create", "-")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("name: every\nschedule: R3//PT2S\ncommand: echo $CHRONOS_JOB_RUN_TIME >> %s\nmem: 32\n", t.slots))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("`job create`: %w:\n%s", err, out)
	}
	return nil
}

// threeTimes reads what the runs wrote: three slots, two seconds from each other, and no
// fourth one when its time has come.
func (t *tour) threeTimes(ctx context.Context) error {
	var wrote []string
	look := func() bool {
		text, err := os.ReadFile(t.slots)
		wrote = strings.Fields(string(text))
		return err == nil && len(wrote) >= 3
	}
	if err := until(ctx, "three runs", look); err != nil {
		return err
	}
	var slots []time.Time
	for _, w := range wrote {
		ms, err := strconv.ParseInt(w, 10, 64)
		if err != nil {
			return err
		}
		slots = append(slots, time.UnixMilli(ms))
	}
	for i, s := range slots {
		if want := slots[0].Add(time.Duration(i) * 2 * time.Second); !s.Equal(want) {
			return fmt.Errorf("slot %d is %v, and %v was to come", i, s, want)
		}
	}
	fourth := slots[0].Add(3*2*time.Second + time.Second)
	if err := until(ctx, "the time of a fourth slot", after(time.Until(fourth))); err != nil {
		return err
	}
	if look(); len(wrote) != 3 {
		return fmt.Errorf("it has run %d times, in the slots %q", len(wrote), wrote)
	}
	return t.threeInHistory(ctx)
}

// threeInHistory looks whether chronosish says the same.
func (t *tour) threeInHistory(ctx context.Context) error {
	out, _, err := t.run(ctx, "job", "get", "every", "--json")
	if err != nil {
		return err
	}
	var said struct {
		Successes int  `json:"successCount"`
		Errors    int  `json:"errorCount"`
		Disabled  bool `json:"disabled"`
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		return err
	}
	if said.Successes != 3 || said.Errors != 0 || !said.Disabled {
		return fmt.Errorf("`job get` says %+v", said)
	}
	return nil
}

// countByJobs plays the example.
func (t *tour) countByJobs(ctx context.Context) error {
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	dir, err := t.share("words")
	if err != nil {
		return err
	}
	report, err := words.Play(ctx, words.Options{
		Example: example("jobs", "wordcount"), Dir: dir, Goroot: strings.TrimSpace(string(goroot)), Command: t.command,
	})
	if err != nil {
		return err
	}
	fmt.Printf("            %d words, %d of them different, as in a direct count; mappers on %s\n", report.Words, report.Different, strings.Join(report.Hosts, " and "))
	return nil
}

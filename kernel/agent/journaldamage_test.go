package agent

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
)

// TestDamagedCheckpoint (F11): the agent goes on with what is left of its checkpoint, and
// names the file and the loss; where nothing is left, or not who it is, it says so and does
// not begin as if it were new.
func TestDamagedCheckpoint(t *testing.T) {
	open := func(dir string, log *bytes.Buffer) (*journal, *ledger.Ledger, error) {
		l := ledger.New(ledger.DefaultOptions())
		j, err := openJournal(dir, slog.New(slog.NewTextHandler(log, nil)), l)
		return j, l, err
	}
	var quiet bytes.Buffer
	whole := t.TempDir()
	j, _, err := open(whole, &quiet)
	if err != nil {
		t.Fatal(err)
	}
	task := func(id sdk.TaskID) ledger.Record {
		return ledger.Record{At: 1, Task: &ledger.TaskRecord{FrameworkID: "f", ExecutorID: "x", ContainerID: "c-" + string(id), BootID: "boot",
			Info: sdk.TaskInfo{Name: "n", TaskID: id, AgentID: "agent-1"}}}
	}
	for _, r := range []ledger.Record{
		{At: 1, Agent: &ledger.AgentRecord{ID: "agent-1", BootID: "boot"}},
		{At: 1, Framework: &ledger.FrameworkRecord{Info: sdk.FrameworkInfo{ID: "f", User: "u", Name: "n"}}},
		{At: 1, Executor: &ledger.ExecutorRecord{Info: sdk.ExecutorInfo{ExecutorID: "x", FrameworkID: "f"}, ContainerID: "cx"}},
		task("first-task"), task("other-task"),
	} {
		if err := j.store([]ledger.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(whole, "checkpoint", "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := func(what string) []byte {
		at := bytes.Index(text, []byte(what))
		if at < 0 {
			t.Fatalf("%s is not in the file", what)
		}
		bad := bytes.Clone(text)
		bad[at] ^= 1
		return bad
	}
	for name, c := range map[string]struct {
		text  []byte // nil for a directory
		tasks int
		wants []string // of the error, or of the log
		fails bool
	}{
		"a task flipped":         {flipped("first-task"), 1, []string{"the checkpoint is damaged", "bytes lost", "ledger.damaged"}, false},
		"the last task flipped":  {flipped("other-task"), 1, []string{"the checkpoint is damaged", "bytes lost", "ledger.damaged"}, false},
		"their executor flipped": {flipped("cx"), 0, []string{"the checkpoint is damaged", "is about what is lost"}, false},
		"magic flipped":          {flipped("PFCKPT"), 2, []string{"the checkpoint is damaged"}, false},
		"the agent flipped":      {flipped("agent-1"), 0, []string{"the agent's id is among what is lost"}, true},
		"cut off":                {text[:len(text)-5], 1, []string{"cut off the end of the checkpoint"}, false},
		"empty":                  {[]byte{}, 0, []string{"is damaged", "nothing of it is left", "Move the file away"}, true},
		"zeros":                  {make([]byte, len(text)), 0, []string{"is damaged", "nothing of it can be used"}, true},
		"a directory":            {nil, 0, []string{"is a directory"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "checkpoint", "ledger")
			err := os.MkdirAll(filepath.Dir(path), 0o700)
			if c.text == nil {
				err = errors.Join(err, os.Mkdir(path, 0o700))
			} else {
				err = errors.Join(err, os.WriteFile(path, c.text, 0o600))
			}
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			j, l, err := open(dir, &log)
			said := log.String()
			if err != nil {
				said = err.Error()
			}
			for _, want := range append(c.wants, path) {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q: %s", want, said)
				}
			}
			if (err != nil) != c.fails {
				t.Fatalf("error: %v", err)
			}
			if err != nil {
				return
			}
			if n := l.Counts().Tasks; n != c.tasks {
				t.Errorf("%d tasks are left, want %d", n, c.tasks)
			}
			l.Step(time.Now(), ledger.Recovered{BootID: "boot"})
			l.Ready()
			if err := errors.Join(j.compact(l), j.close()); err != nil {
				t.Fatal(err)
			}
			log.Reset()
			if j, l, err = open(dir, &log); err != nil || log.Len() > 0 || l.Counts().Tasks != c.tasks {
				t.Errorf("after it was written anew: %v %s", err, log.String())
			} else if err := j.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

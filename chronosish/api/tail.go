package api

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/profferhq/proffer/sdk"
)

// The bounds of ?tail=.
const (
	maxTail     = 64 << 10         // bytes of one stream of one run
	maxTails    = 10               // runs
	tailsAtOnce = 4                // of them
	tailsTime   = 10 * time.Second // for all of them
)

// tail is the end of what a run has written, read from its sandbox. Bytes that are no
// UTF-8 are shown as U+FFFD.
type tail struct {
	Stdout     string `json:"stdout"`
	Stderr     string `json:"stderr"`
	StdoutFrom int64  `json:"stdoutFrom"` // bytes before what is shown
	StderrFrom int64  `json:"stderrFrom"`
	Missing    string `json:"missing,omitempty"` // why there is nothing to show, for people
}

// readTails reads the tails of the newest runs that have begun: of those that go on, then of
// those that are past.
func (s *server) readTails(ctx context.Context, bytes int, runs []runDocument, records []recordDocument) {
	ctx, cancel := context.WithTimeout(ctx, tailsTime)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(tailsAtOnce)
	left := maxTails
	read := func(to **tail, agent, task, started string) {
		if task == "" || started == "" || left == 0 {
			return
		}
		left--
		t := &tail{}
		*to = t
		group.Go(func() error {
			s.readTail(ctx, t, sdk.AgentID(agent), sdk.TaskID(task), bytes)
			return nil
		})
	}
	for i := range slices.Backward(runs) { // the oldest stands first
		read(&runs[i].Output, runs[i].AgentID, runs[i].TaskID, runs[i].Started)
	}
	for i := range records {
		read(&records[i].Output, records[i].AgentID, records[i].TaskID, records[i].Started)
	}
	_ = group.Wait() // each says itself what was wrong
}

func (s *server) readTail(ctx context.Context, t *tail, agent sdk.AgentID, task sdk.TaskID, bytes int) {
	for _, stream := range []struct {
		name string
		text *string
		from *int64
	}{{"stdout", &t.Stdout, &t.StdoutFrom}, {"stderr", &t.Stderr, &t.StderrFrom}} {
		text, from, err := s.backend.Output(ctx, agent, task, stream.name, bytes)
		if err != nil {
			t.Missing = missing(err)
			return
		}
		if len(text) > bytes { // it was written meanwhile
			from += int64(len(text) - bytes)
			text = text[len(text)-bytes:]
		}
		*stream.text, *stream.from = strings.ToValidUTF8(string(text), "�"), from
	}
}

// missing says for people why no output can be shown.
func missing(err error) string {
	var e *sdk.Error
	switch {
	case errors.As(err, &e):
		return e.Message
	case errors.Is(err, context.DeadlineExceeded):
		return "the agents did not answer in time; ask again"
	}
	return err.Error()
}

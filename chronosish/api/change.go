package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/job"
)

func (s *server) putScheduled(c *call) (answer, error) { return s.put(c, job.Scheduled) }
func (s *server) putDependent(c *call) (answer, error) { return s.put(c, job.Dependent) }

// maxTries is how often a change is computed again because the job has changed
// meanwhile.
const maxTries = 5

func (s *server) put(c *call, kind job.Kind) (answer, error) {
	body, err := s.body(c)
	if err != nil {
		return answer{}, err
	}
	for try := 1; ; try++ {
		j, err := job.Parse(body, kind, s.now())
		if err != nil {
			return answer{}, err
		}
		change := book.Change{Kind: book.Put, Jobs: []*job.Job{j}, IfVersion: map[string]uint64{j.Name: 0}}
		was, missing := s.read(j.Name)
		if missing == nil {
			change.IfVersion[j.Name] = was.Job.Version
		}
		if missing != nil || !keep(j, was) {
			j.Created = time.Time{} // when it is stored
		}
		err = s.change(c, change)
		var r *job.Refusal
		if err == nil || try == maxTries || !errors.As(err, &r) || r.Status != http.StatusConflict {
			return answer{}, err
		}
	}
}

// change has a change done, within the time that there is for it.
func (s *server) change(c *call, change book.Change) error {
	ctx, cancel := context.WithTimeout(c.r.Context(), s.opts.ChangeTimeout)
	defer cancel()
	_, err := s.backend.Change(ctx, change)
	return err
}

// named has a change of one job done, which must exist.
func (s *server) named(c *call, change book.Change) (answer, error) {
	if _, err := s.read(c.name); err != nil {
		return answer{}, err
	}
	change.Names = []string{c.name}
	return answer{}, s.change(c, change)
}

func (s *server) runJob(c *call) (answer, error) {
	change := book.Change{Kind: book.RunNow}
	if q := c.r.URL.Query(); q.Has("arguments") {
		arguments := q.Get("arguments")
		const most = 64 << 10
		if len(arguments) > most || strings.ContainsRune(arguments, 0) {
			return answer{}, job.Invalid("The arguments must not be longer than %d bytes or have a NUL character.", most)
		}
		change.Arguments = &arguments
	}
	return s.named(c, change)
}

// switchJob is decided by the book in one step, so that it loses no change of another.
func (s *server) switchJob(c *call) (answer, error) {
	body, err := s.body(c)
	if err != nil {
		return answer{}, err
	}
	disabled, err := job.ParseSwitch(body)
	if err != nil {
		return answer{}, err
	}
	if _, err := s.named(c, book.Change{Kind: book.Switch, Disabled: disabled}); err != nil {
		return answer{}, err
	}
	return s.showJob(c)
}

func (s *server) deleteJob(c *call) (answer, error) {
	return s.named(c, book.Change{Kind: book.Delete})
}
func (s *server) killTasks(c *call) (answer, error) { return s.named(c, book.Change{Kind: book.Kill}) }

// markSuccess answers with a text as JSON, which clients of all kinds read; that the job
// is unknown is no failure.
func (s *server) markSuccess(c *call) (answer, error) {
	_, err := s.named(c, book.Change{Kind: book.Succeed})
	var r *job.Refusal
	if err != nil && !(errors.As(err, &r) && r.Status == http.StatusBadRequest) {
		return answer{}, err
	}
	return ok(fmt.Sprintf("marked job %s as successful: %v", cut(c.name), err == nil))
}

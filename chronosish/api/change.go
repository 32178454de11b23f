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
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

func (s *server) putScheduled(c *rest.Call) (rest.Answer, error) { return s.put(c, job.Scheduled) }
func (s *server) putDependent(c *rest.Call) (rest.Answer, error) { return s.put(c, job.Dependent) }

// maxTries is how often a change is computed again because the job has changed
// meanwhile.
const maxTries = 5

func (s *server) put(c *rest.Call, kind job.Kind) (rest.Answer, error) {
	body, err := c.Body(s.opts.MaxBody)
	if err != nil {
		return rest.Answer{}, err
	}
	for try := 1; ; try++ {
		j, err := job.Parse(body, kind, s.now())
		if err != nil {
			return rest.Answer{}, err
		}
		change := book.Change{Kind: book.Put, Jobs: []*job.Job{j}, IfVersion: map[string]uint64{j.Name: 0}}
		was, missing := s.read(j.Name)
		if missing == nil {
			change.IfVersion[j.Name] = was.Job.Version
		}
		if err := j.Complete(was.Job); err != nil {
			return rest.Answer{}, err
		}
		if missing != nil || !keep(j, was) {
			j.Created = time.Time{} // when it is stored
		}
		err = s.change(c, change)
		var r *job.Refusal
		if err == nil || try == maxTries || !errors.As(err, &r) || r.Status != http.StatusConflict {
			return rest.Answer{}, err
		}
	}
}

// change has a change done, within the time that there is for it.
func (s *server) change(c *rest.Call, change book.Change) error {
	ctx, cancel := context.WithTimeout(c.R.Context(), s.opts.ChangeTimeout)
	defer cancel()
	_, err := s.backend.Change(ctx, change)
	return err
}

// named has a change of one job done, which must exist.
func (s *server) named(c *rest.Call, change book.Change) (rest.Answer, error) {
	if _, err := s.read(c.Arg("name")); err != nil {
		return rest.Answer{}, err
	}
	change.Names = []string{c.Arg("name")}
	return rest.Answer{}, s.change(c, change)
}

func (s *server) runJob(c *rest.Call) (rest.Answer, error) {
	change := book.Change{Kind: book.RunNow}
	if q := c.R.URL.Query(); q.Has("arguments") {
		arguments := q.Get("arguments")
		const most = 64 << 10
		if len(arguments) > most || strings.ContainsRune(arguments, 0) {
			return rest.Answer{}, job.Invalid("The arguments must not be longer than %d bytes or have a NUL character.", most)
		}
		change.Arguments = &arguments
	}
	return s.named(c, change)
}

// switchJob is decided by the book in one step, so that it loses no change of another.
func (s *server) switchJob(c *rest.Call) (rest.Answer, error) {
	body, err := c.Body(s.opts.MaxBody)
	if err != nil {
		return rest.Answer{}, err
	}
	disabled, err := job.ParseSwitch(body)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := s.named(c, book.Change{Kind: book.Switch, Disabled: disabled}); err != nil {
		return rest.Answer{}, err
	}
	return s.showJob(c)
}

func (s *server) deleteJob(c *rest.Call) (rest.Answer, error) {
	return s.named(c, book.Change{Kind: book.Delete})
}
func (s *server) killTasks(c *rest.Call) (rest.Answer, error) {
	return s.named(c, book.Change{Kind: book.Kill})
}

// markSuccess answers with a text as JSON, which clients of all kinds read; that the job
// is unknown is no failure.
func (s *server) markSuccess(c *rest.Call) (rest.Answer, error) {
	_, err := s.named(c, book.Change{Kind: book.Succeed})
	var r *job.Refusal
	if err != nil && !(errors.As(err, &r) && r.Status == http.StatusBadRequest) {
		return rest.Answer{}, err
	}
	return rest.JSON(fmt.Sprintf("marked job %s as successful: %v", rest.Cut(c.Arg("name")), err == nil))
}

package api

import (
	"time"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/chronosish/schedule"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// runDocument is a run that waits or goes on.
type runDocument struct {
	Run       string   `json:"run"`
	Cause     string   `json:"cause"` // slot, parents or hand
	Nominal   string   `json:"nominal"`
	Attempt   int      `json:"attempt"`
	TaskID    string   `json:"taskId"` // "" while it waits
	AgentID   string   `json:"agentId"`
	Host      string   `json:"host"`
	State     string   `json:"state"`
	Started   string   `json:"started"` // "" for never, as all times
	NotBefore string   `json:"notBefore"`
	Lost      string   `json:"lostSince"`
	Ending    string   `json:"ending"` // why it is being ended; "" where it is not
	Parents   []string `json:"parents"`
	Output    *tail    `json:"output,omitempty"` // where ?tail= asks for it
}

// recordDocument is what is past: an attempt, or slots that were skipped.
type recordDocument struct {
	Run        string   `json:"run"`
	Cause      string   `json:"cause"`
	Nominal    string   `json:"nominal"`
	Attempt    int      `json:"attempt"`
	Outcome    string   `json:"outcome"`
	Reason     string   `json:"reason"`
	At         string   `json:"at"`
	Again      bool     `json:"again"`
	TaskID     string   `json:"taskId"`
	AgentID    string   `json:"agentId"`
	Host       string   `json:"host"`
	State      string   `json:"state"`
	Started    string   `json:"started"`
	Ended      string   `json:"ended"`
	ExitStatus *int     `json:"exitStatus"` // null: not known, or it ended by a signal
	Signal     *int     `json:"signal"`     // likewise
	Parents    []string `json:"parents"`
	LastSlot   string   `json:"lastSlot,omitempty"` // of several that were skipped
	Slots      int64    `json:"slots,omitempty"`    // how many; -1: too many to be counted
	Output     *tail    `json:"output,omitempty"`   // where ?tail= asks for it
}

func (s *server) showHistory(c *rest.Call) (rest.Answer, error) {
	limit, err := number(c, "limit", 100, maxPage)
	if err != nil {
		return rest.Answer{}, err
	}
	bytes, err := number(c, "tail", 0, maxTail)
	if err != nil {
		return rest.Answer{}, err
	}
	st, err := s.read(c.Arg("name"))
	if err != nil {
		return rest.Answer{}, err
	}
	runs, records := []runDocument{}, []recordDocument{}
	for _, r := range st.Runs {
		runs = append(runs, runDocument{
			Run: r.ID, Cause: string(r.Cause), Nominal: job.Instant(r.Nominal), Attempt: r.Attempt, TaskID: string(r.TaskID), AgentID: string(r.AgentID), Host: r.Host,
			State: string(r.State), Started: job.Instant(r.Started), NotBefore: job.Instant(r.NotBefore), Lost: job.Instant(r.Lost), Ending: string(r.Stop),
			Parents: append([]string{}, r.Parents...),
		})
	}
	if limit > 0 {
		var history []book.Record
		s.backend.Read(func(v View) { history = v.History(c.Arg("name"), limit) })
		for _, r := range history {
			records = append(records, past(r))
		}
	}
	if bytes > 0 {
		s.readTails(c.R.Context(), bytes, runs, records)
	}
	return rest.JSON(struct {
		Runs    []runDocument    `json:"runs"`
		History []recordDocument `json:"history"`
		Waits   string           `json:"waits"` // for what a run that is due waits
	}{runs, records, st.Waits})
}

func past(r book.Record) recordDocument {
	d := recordDocument{
		Run: r.Run, Cause: string(r.Cause), Nominal: job.Instant(r.Nominal), Attempt: r.Attempt, Outcome: r.Outcome, Reason: r.Reason, At: job.Instant(r.At), Again: r.Again,
		TaskID: string(r.TaskID), AgentID: string(r.AgentID), Host: r.Host, State: string(r.State), Started: job.Instant(r.Started), Ended: job.Instant(r.Ended),
		Parents: append([]string{}, r.Parents...), LastSlot: job.Instant(r.Last), Slots: r.Count,
	}
	if r.Wait != nil {
		if signal := int(*r.Wait & 0x7f); signal != 0 {
			d.Signal = &signal
		} else {
			status := int(*r.Wait >> 8 & 0xff)
			d.ExitStatus = &status
		}
	}
	return d
}

func (s *server) showNext(c *rest.Call) (rest.Answer, error) {
	count, err := number(c, "count", 10, 1000)
	if err != nil {
		return rest.Answer{}, err
	}
	st, err := s.read(c.Arg("name"))
	if err != nil {
		return rest.Answer{}, err
	}
	next := []string{}
	if !st.Job.Dependent() && !st.Job.Disabled && !st.Exhausted {
		times, err := schedule.Parse(st.Job.Schedule, st.Job.Zone, st.Job.Created)
		if err != nil {
			return rest.Answer{}, err
		}
		from := s.now()
		if st.Handled.After(from) {
			from = st.Handled
		}
		for _, slot := range times.Slots(from, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), count) {
			next = append(next, job.Instant(slot))
		}
	}
	return rest.JSON(struct {
		Next     []string `json:"next"`     // empty: no slot comes; a job with parents has none
		Parents  []string `json:"parents"`  // after which it runs
		ZoneData string   `json:"zoneData"` // edition of the IANA's by which it was computed
	}{next, append([]string{}, st.Job.Parents...), schedule.ZoneVersion()})
}

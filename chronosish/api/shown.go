package api

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/chronosish/schedule"
)

// shown is a job as clients see it. One whose schedule has ended is disabled, as Chronos
// has it.
func shown(st book.Status, zones schedule.Zones) job.Document {
	d := st.Job.Shown(now(st, zones), job.History{
		Successes: int64(st.Successes), Errors: int64(st.Errors), ErrorsSinceLastSuccess: int64(st.ErrorsSinceSuccess),
		LastSuccess: st.LastSuccess, LastError: st.LastError,
	})
	d.Disabled = d.Disabled || st.Exhausted
	return d
}

// now writes a schedule as Chronos does: with the repetitions that are left and
// the next start. It is only shown: the schedule itself keeps its anchor.
func now(st book.Status, zones schedule.Zones) string {
	if st.Job.Dependent() {
		return ""
	}
	s, err := zones.Parse(st.Job.Schedule, st.Job.Zone, st.Job.Created)
	if err != nil { // it was accepted once: shown as it is
		return st.Job.Schedule
	}
	after := st.Handled
	for _, r := range st.Runs {
		if r.Cause == book.BySlot && r.Nominal.After(after) {
			after = r.Nominal // a slot is used up when it is decided
		}
	}
	if !st.Next.IsZero() {
		after = st.Next.Add(-time.Millisecond)
	}
	_, k, ok := s.Next(after)
	if !ok {
		k = s.Repetitions()
	}
	return s.Chronos(k)
}

// keep makes a definition that was sent go on where the job is: a schedule that is
// written as it was given, or as it is or once was shown, is the one that the job has.
// One with an empty start was never shown: it starts now. It tells whether the job goes on.
func keep(j *job.Job, was book.Status) bool {
	old := was.Job
	if j.Dependent() || old.Dependent() || j.Zone != old.Zone || j.StartsNow() {
		return false
	}
	if j.Schedule != old.Schedule && !wasShown(j, old) {
		return false
	}
	j.Schedule, j.Created = old.Schedule, old.Created
	if was.Exhausted && j.Disabled { // that is how it was shown
		j.Disabled = old.Disabled
	}
	return true
}

// wasShown tells whether j's schedule is how old's was written when the first of j's
// slots came next, or none was left.
func wasShown(j, old *job.Job) bool {
	zones := schedule.Zones{}
	s, err := zones.Parse(old.Schedule, old.Zone, old.Created)
	if err != nil {
		return false
	}
	if n := s.Repetitions(); n >= 0 && s.Chronos(n) == j.Schedule {
		return true
	}
	sent, err := zones.Parse(j.Schedule, j.Zone, j.Created)
	if err != nil {
		return false
	}
	first, _, ok := sent.Next(time.Time{})
	if !ok {
		return false
	}
	slot, k, ok := s.Next(first.Add(-time.Millisecond))
	return ok && k >= 0 && slot.Equal(first) && s.Chronos(k) == j.Schedule
}

// status is the last outcome in a word.
func status(st book.Status) string {
	switch {
	case st.LastSuccess.IsZero() && st.LastError.IsZero():
		return "fresh"
	case st.LastError.After(st.LastSuccess):
		return "failure"
	}
	return "success"
}

// state is what goes on in a word: idle, queued, or how many run.
func state(st book.Status) string {
	running := 0
	for _, r := range st.Runs {
		if r.TaskID != "" {
			running++
		}
	}
	switch {
	case running > 0:
		return fmt.Sprintf("%d running", running)
	case len(st.Runs) > 0:
		return "queued"
	}
	return "idle"
}

// read is one job, or the refusal.
func (s *server) read(name string) (book.Status, error) {
	var st book.Status
	var ok bool
	s.backend.Read(func(v View) { st, ok = v.Job(name) })
	if !ok {
		return book.Status{}, job.Missing(name)
	}
	return st, nil
}

func (s *server) all() []book.Status {
	var list []book.Status
	s.backend.Read(func(v View) { list = v.Jobs() })
	return list
}

// stamp writes a time for people's eyes as Chronos's history does, in UTC.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "N/A"
	}
	return t.UTC().Format("01/02/06 15:04:05")
}

package api

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// histogram are the figures of Chronos; those of times in milliseconds.
type histogram struct {
	P75    float64 `json:"75thPercentile"`
	P95    float64 `json:"95thPercentile"`
	P98    float64 `json:"98thPercentile"`
	P99    float64 `json:"99thPercentile"`
	Median float64 `json:"median"`
	Mean   float64 `json:"mean"`
	Count  int     `json:"count"`
}

func measure(times []time.Duration) histogram {
	if len(times) == 0 {
		return histogram{}
	}
	slices.Sort(times)
	var sum time.Duration
	for _, t := range times {
		sum += t
	}
	return histogram{
		P75: quantile(times, 0.75), P95: quantile(times, 0.95), P98: quantile(times, 0.98), P99: quantile(times, 0.99), Median: quantile(times, 0.5),
		Mean: milliseconds(sum) / float64(len(times)), Count: len(times),
	}
}

// quantile interpolates between sorted times, as the library of Chronos does.
func quantile(times []time.Duration, q float64) float64 {
	at := q * float64(len(times)+1)
	i := int(at)
	switch {
	case i < 1:
		return milliseconds(times[0])
	case i >= len(times):
		return milliseconds(times[len(times)-1])
	}
	low, high := milliseconds(times[i-1]), milliseconds(times[i])
	return low + (at-float64(i))*(high-low)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// succeeded are the times of the attempts that succeeded: since they were due, as
// Chronos measures, and since they started.
func succeeded(history []book.Record) (sinceDue, sinceStart []time.Duration) {
	for _, r := range history {
		if r.Outcome != string(due.Succeeded) {
			continue
		}
		sinceDue = append(sinceDue, max(r.Ended.Sub(r.Nominal), 0))
		if !r.Started.IsZero() {
			sinceStart = append(sinceStart, max(r.Ended.Sub(r.Started), 0))
		}
	}
	return sinceDue, sinceStart
}

// listStats has one figure of each job; what is no figure has none.
func (s *server) listStats(c *rest.Call) (rest.Answer, error) {
	type figure struct {
		Job  string  `json:"jobNameLabel"`
		Time float64 `json:"time"`
	}
	const perSecond = 1000
	of := map[string]func(histogram) float64{
		"99thPercentile": func(h histogram) float64 { return h.P99 / perSecond }, "98thPercentile": func(h histogram) float64 { return h.P98 / perSecond },
		"95thPercentile": func(h histogram) float64 { return h.P95 / perSecond }, "75thPercentile": func(h histogram) float64 { return h.P75 / perSecond },
		"median": func(h histogram) float64 { return h.Median / perSecond }, "mean": func(h histogram) float64 { return h.Mean / perSecond },
		"count": func(h histogram) float64 { return float64(h.Count) },
	}[c.Arg("name")]
	list := []figure{}
	if of == nil {
		return rest.JSON(list)
	}
	histories := map[string][]book.Record{}
	s.backend.Read(func(v View) {
		for _, st := range v.Jobs() {
			histories[st.Job.Name] = v.History(st.Job.Name, 0)
		}
	})
	for name, history := range histories {
		times, _ := succeeded(history)
		list = append(list, figure{name, of(measure(times))})
	}
	slices.SortFunc(list, func(a, b figure) int { return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.Job, b.Job)) })
	return rest.JSON(list)
}

type taskStat struct {
	TaskID    string `json:"taskId"`
	JobName   string `json:"jobName"`
	SlaveID   string `json:"slaveId"`
	StartTime string `json:"startTime"`
	EndTime   string `json:"endTime"`
	Duration  string `json:"duration"`
	Status    string `json:"status"`
}

// showStat has the attempts that go on before those that are past.
func (s *server) showStat(c *rest.Call) (rest.Answer, error) {
	limit, err := number(c, "limit", 5, maxPage)
	if err != nil {
		return rest.Answer{}, err
	}
	st, err := s.read(c.Arg("name"))
	if err != nil {
		return rest.Answer{}, err
	}
	var history []book.Record
	s.backend.Read(func(v View) { history = v.History(c.Arg("name"), 0) })
	stats := []taskStat{}
	for _, r := range slices.Backward(st.Runs) {
		if r.TaskID != "" {
			row := taskStat{string(r.TaskID), c.Arg("name"), string(r.AgentID), stamp(r.Started), stamp(time.Time{}), "N/A", "Idle"}
			if !r.Started.IsZero() {
				row.Status, row.Duration = "Running", spell(s.now().Sub(r.Started))
			}
			stats = append(stats, row)
		}
	}
	for _, r := range history {
		if r.TaskID == "" {
			continue
		}
		row := taskStat{string(r.TaskID), c.Arg("name"), string(r.AgentID), stamp(r.Started), stamp(r.Ended), "N/A", "Fail"}
		if r.Outcome == string(due.Succeeded) {
			row.Status = "Success"
		}
		if !r.Started.IsZero() {
			row.Duration = spell(r.Ended.Sub(r.Started))
		}
		stats = append(stats, row)
	}
	sinceDue, sinceStart := succeeded(history)
	return rest.JSON(struct {
		Histogram histogram  `json:"histogram"`    // since a run was due
		Run       histogram  `json:"runHistogram"` // since it started: beyond Chronos
		History   []taskStat `json:"taskStatHistory"`
	}{measure(sinceDue), measure(sinceStart), stats[:min(limit, len(stats))]})
}

// spell writes a time as Chronos does: 1d2h3m4s, without what is nothing in front.
func spell(d time.Duration) string {
	s := int64(max(d, 0) / time.Second)
	switch {
	case s >= 86400:
		return fmt.Sprintf("%dd%dh%dm%ds", s/86400, s/3600%24, s/60%60, s%60)
	case s >= 3600:
		return fmt.Sprintf("%dh%dm%ds", s/3600, s/60%60, s%60)
	case s >= 60:
		return fmt.Sprintf("%dm%ds", s/60, s%60)
	}
	return fmt.Sprintf("%ds", s)
}

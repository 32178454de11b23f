package api

import "github.com/profferhq/proffer/sdk/scheduler/rest"

func (s *server) ping(*rest.Call) (rest.Answer, error) { return rest.Answer{Text: "pong"}, nil }

func (s *server) showLeader(*rest.Call) (rest.Answer, error) {
	return rest.JSON(struct {
		Leader string `json:"leader"`
	}{s.backend.Info().Leader})
}

// metrics are sums over all jobs, in the form of Codahale's library.
func (s *server) metrics(*rest.Call) (rest.Answer, error) {
	type gauge struct {
		Value int `json:"value"`
	}
	type counter struct {
		Count int `json:"count"`
	}
	var jobs, disabled, running, queued, successes, errors int
	for _, st := range s.all() {
		jobs++
		if st.Job.Disabled || st.Exhausted {
			disabled++
		}
		for _, r := range st.Runs {
			if r.TaskID != "" {
				running++
			} else {
				queued++
			}
		}
		successes += st.Successes
		errors += st.Errors
	}
	return rest.JSON(struct {
		Version    string             `json:"version"`
		Gauges     map[string]gauge   `json:"gauges"`
		Counters   map[string]counter `json:"counters"`
		Histograms struct{}           `json:"histograms"`
		Meters     struct{}           `json:"meters"`
		Timers     struct{}           `json:"timers"`
	}{
		Version:  "3.0.0",
		Gauges:   map[string]gauge{"jobs": {jobs}, "jobs.disabled": {disabled}, "runs.running": {running}, "runs.queued": {queued}},
		Counters: map[string]counter{"runs.succeeded": {successes}, "runs.failed": {errors}},
	})
}

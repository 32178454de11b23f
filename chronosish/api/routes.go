package api

import (
	"net/http"

	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// bases are the prefixes of Chronos 3.x and 2.x.
func bases() []string { return []string{"/v1/scheduler", "/scheduler"} }

// Routes is the one table of everything that is served. In a Path {name} stands for a job.
// All of it is for operators only.
func Routes() []rest.Route { return (&server{}).routes() }

func (s *server) routes() []rest.Route {
	var all []rest.Route
	for _, base := range bases() {
		for _, r := range s.chronos() {
			r.Path = base + r.Path
			all = append(all, r)
		}
	}
	return append(all, s.others()...)
}

// chronos are the routes below each of the bases.
func (s *server) chronos() []rest.Route {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return []rest.Route{
		{Method: post, Path: "/iso8601", Doc: "Makes or replaces a job with a schedule.", Handle: s.putScheduled},
		{Method: put, Path: "/iso8601", Doc: "The same, for clients of 2.x.", Handle: s.putScheduled},
		{Method: post, Path: "/dependency", Doc: "Makes or replaces a job with parents.", Handle: s.putDependent},
		{Method: put, Path: "/dependency", Doc: "The same, for clients of 2.x.", Handle: s.putDependent},
		{Method: get, Path: "/jobs", Doc: "All jobs, sorted by name; of a file of more than 4 KiB that travels inside one only the size.", Handle: s.listJobs},
		{Method: get, Path: "/jobs/search", Doc: "Jobs by parts of their texts: ?name=, ?command=, ?any= (one of both), ?limit= (10), ?offset=.", Handle: s.searchJobs},
		{Method: get, Path: "/jobs/summary", Doc: "Each job with its last outcome and what goes on.", Handle: s.summary},
		{Method: get, Path: "/job/{name}", Doc: "One job.", Handle: s.showJob},
		{Method: put, Path: "/job/{name}", Doc: "Runs a job now, also one that is disabled; no repetition is used up: ?arguments= (instead of its own).", Handle: s.runJob},
		{Method: del, Path: "/job/{name}", Doc: "Deletes a job and ends what runs of it; its children inherit its parents or its schedule.", Handle: s.deleteJob},
		{Method: put, Path: "/job/success/{name}", Doc: "Counts a success of a job, and starts its children as if it had run.", Handle: s.markSuccess},
		{Method: get, Path: "/job/stat/{name}", Doc: "How long the job's runs took, and the last of them: ?limit= (5).", Handle: s.showStat},
		{Method: del, Path: "/task/kill/{name}", Doc: "Ends what runs of a job; nothing of it is tried again.", Handle: s.killTasks},
		{Method: del, Path: "/job/task/kill/{name}", Doc: "The same, as a client of 3.x spells it.", Handle: s.killTasks},
		{Method: get, Path: "/graph/dot", Doc: "The jobs and their parents, for Graphviz.", Handle: s.graphDOT},
		{Method: get, Path: "/graph/csv", Doc: "The jobs with their states and parents, as lines.", Handle: s.graphCSV},
		{Method: get, Path: "/stats/{name}", Doc: "One figure of each job in seconds, largest first: 99thPercentile, 98thPercentile, 95thPercentile, 75thPercentile, median, mean, count.", Handle: s.listStats},
		{Method: get, Path: "/leader", Doc: "Who leads.", Always: true, Handle: s.showLeader},
	}
}

// others are the routes at the top.
func (s *server) others() []rest.Route {
	const get = http.MethodGet
	return []rest.Route{
		{Method: get, Path: "/leader", Doc: "Who leads.", Always: true, Handle: s.showLeader},
		{Method: http.MethodPatch, Path: "/v2/jobs/{name}", Doc: "Disables or enables a job, and changes nothing else of it: {\"disabled\": true}. The answer is the job.", Handle: s.switchJob},
		{Method: get, Path: "/v2/jobs/{name}/history", Doc: "What goes on of a job and what is past, newest first: ?limit= (100), ?tail=BYTES (0) for the end of what the newest ten of its runs wrote.", Handle: s.showHistory},
		{Method: get, Path: "/v2/jobs/{name}/next", Doc: "When a job will run next, and by which edition of the zone data: ?count= (10).", Handle: s.showNext},
		{Method: get, Path: "/metrics", Doc: "Counts, as Codahale's library writes them.", Handle: s.metrics},
		{Method: get, Path: "/ping", Doc: "pong.", Always: true, Handle: s.ping},
	}
}

// notServed are the parts of Chronos's API that are not served yet, with the sentence
// that says so. {name} stands for one part of the path.
func notServed() []struct{ path, sentence string } {
	return []struct{ path, sentence string }{
		{"/task/all", "All tasks cannot be forgotten at once. Use /task/kill/{name} for each job."},
		{"/task/{name}", "Jobs that are told from outside that they have ended (async) are not served yet."},
		{"/job/{name}/task/{name}/progress", "The progress of data jobs (dataProcessingJobType) is not served yet."},
	}
}

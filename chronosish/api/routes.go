package api

import "net/http"

// Route is one line of the table of routes. In Path {name} stands for a job. All of
// them are for operators only.
type Route struct {
	Method string
	Path   string
	Based  bool // below /v1/scheduler and below /scheduler; else at the top
	Doc    string

	always bool // answered by who does not lead, too
	handle func(*server, *call) (answer, error)
}

// bases are the prefixes of Chronos 3.x and 2.x.
func bases() []string { return []string{"/v1/scheduler", "/scheduler"} }

// Routes is the one table of everything that is served.
func Routes() []Route {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return []Route{
		{Method: post, Path: "/iso8601", Based: true, Doc: "Makes or replaces a job with a schedule.", handle: (*server).putScheduled},
		{Method: put, Path: "/iso8601", Based: true, Doc: "The same, for clients of 2.x.", handle: (*server).putScheduled},
		{Method: post, Path: "/dependency", Based: true, Doc: "Makes or replaces a job with parents.", handle: (*server).putDependent},
		{Method: put, Path: "/dependency", Based: true, Doc: "The same, for clients of 2.x.", handle: (*server).putDependent},
		{Method: get, Path: "/jobs", Based: true, Doc: "All jobs, sorted by name.", handle: (*server).listJobs},
		{Method: get, Path: "/jobs/search", Based: true, Doc: "Jobs by parts of their texts: ?name=, ?command=, ?any= (one of both), ?limit= (10), ?offset=.", handle: (*server).searchJobs},
		{Method: get, Path: "/jobs/summary", Based: true, Doc: "Each job with its last outcome and what goes on.", handle: (*server).summary},
		{Method: get, Path: "/job/{name}", Based: true, Doc: "One job.", handle: (*server).showJob},
		{Method: put, Path: "/job/{name}", Based: true, Doc: "Runs a job now, also one that is disabled; no repetition is used up: ?arguments= (instead of its own).", handle: (*server).runJob},
		{Method: del, Path: "/job/{name}", Based: true, Doc: "Deletes a job and ends what runs of it; its children inherit its parents or its schedule.", handle: (*server).deleteJob},
		{Method: put, Path: "/job/success/{name}", Based: true, Doc: "Counts a success of a job, and starts its children as if it had run.", handle: (*server).markSuccess},
		{Method: get, Path: "/job/stat/{name}", Based: true, Doc: "How long the job's runs took, and the last of them: ?limit= (5).", handle: (*server).showStat},
		{Method: del, Path: "/task/kill/{name}", Based: true, Doc: "Ends what runs of a job; nothing of it is tried again.", handle: (*server).killTasks},
		{Method: del, Path: "/job/task/kill/{name}", Based: true, Doc: "The same, as a client of 3.x spells it.", handle: (*server).killTasks},
		{Method: get, Path: "/graph/dot", Based: true, Doc: "The jobs and their parents, for Graphviz.", handle: (*server).graphDOT},
		{Method: get, Path: "/graph/csv", Based: true, Doc: "The jobs with their states and parents, as lines.", handle: (*server).graphCSV},
		{Method: get, Path: "/stats/{name}", Based: true, Doc: "One figure of each job in seconds, largest first: 99thPercentile, 98thPercentile, 95thPercentile, 75thPercentile, median, mean, count.", handle: (*server).listStats},
		{Method: get, Path: "/leader", Based: true, Doc: "Who leads.", always: true, handle: (*server).showLeader},
		{Method: get, Path: "/leader", Doc: "The same.", always: true, handle: (*server).showLeader},
		{Method: http.MethodPatch, Path: "/v2/jobs/{name}", Doc: "Disables or enables a job, and changes nothing else of it: {\"disabled\": true}. The answer is the job.", handle: (*server).switchJob},
		{Method: get, Path: "/v2/jobs/{name}/history", Doc: "What goes on of a job and what is past, newest first: ?limit= (100), ?tail=BYTES (0) for the end of what the newest ten of its runs wrote.", handle: (*server).showHistory},
		{Method: get, Path: "/v2/jobs/{name}/next", Doc: "When a job will run next, and by which edition of the zone data: ?count= (10).", handle: (*server).showNext},
		{Method: get, Path: "/metrics", Doc: "Counts, as Codahale's library writes them.", handle: (*server).metrics},
		{Method: get, Path: "/ping", Doc: "pong.", always: true, handle: (*server).ping},
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

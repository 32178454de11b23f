package api

import (
	"strings"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/graph"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/chronosish/schedule"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// render is a list of jobs, in which large files that travel inside them are told by size.
func render(list []book.Status) []job.Document {
	out := make([]job.Document, 0, len(list))
	zones := schedule.Zones{}
	for _, st := range list {
		out = append(out, shown(st, zones).Brief())
	}
	return out
}

func (s *server) listJobs(*rest.Call) (rest.Answer, error) { return rest.JSON(render(s.all())) }

func (s *server) showJob(c *rest.Call) (rest.Answer, error) {
	st, err := s.read(c.Arg("name"))
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(shown(st, nil))
}

// maxPage bounds the parameters that count.
const maxPage = 1_000_000

func (s *server) searchJobs(c *rest.Call) (rest.Answer, error) {
	limit, err := number(c, "limit", 10, maxPage)
	if err != nil {
		return rest.Answer{}, err
	}
	offset, err := number(c, "offset", 0, maxPage)
	if err != nil {
		return rest.Answer{}, err
	}
	q := c.R.URL.Query()
	has := func(text, part string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(part)) }
	var found []book.Status
	for _, st := range s.all() {
		name, command, either := q.Get("name"), q.Get("command"), q.Get("any")
		if has(st.Job.Name, name) && has(st.Job.Command, command) && (has(st.Job.Name, either) || has(st.Job.Command, either)) {
			found = append(found, st)
		}
	}
	found = found[min(offset, len(found)):]
	return rest.JSON(render(found[:min(limit, len(found))]))
}

type summaryDocument struct {
	Name     string   `json:"name"`
	Status   string   `json:"status"`
	State    string   `json:"state"`
	Schedule string   `json:"schedule"` // "" of a job with parents
	Parents  []string `json:"parents"`
	Disabled bool     `json:"disabled"`
}

func (s *server) summary(*rest.Call) (rest.Answer, error) {
	list, zones := []summaryDocument{}, schedule.Zones{}
	for _, st := range s.all() {
		list = append(list, summaryDocument{
			Name: st.Job.Name, Status: status(st), State: state(st), Schedule: now(st, zones),
			Parents: append([]string{}, st.Job.Parents...), Disabled: st.Job.Disabled || st.Exhausted,
		})
	}
	return rest.JSON(struct {
		Jobs []summaryDocument `json:"jobs"`
	}{list})
}

func (s *server) nodes() []graph.Node {
	var out []graph.Node
	for _, st := range s.all() {
		out = append(out, graph.Node{Name: st.Job.Name, Status: status(st), State: state(st), Parents: st.Job.Parents})
	}
	return out
}

func (s *server) graphDOT(*rest.Call) (rest.Answer, error) {
	return rest.Answer{Text: graph.DOT(s.nodes())}, nil
}

// graphCSV is an empty line where there is no job: chronos-python takes an answer of 200
// without a body for a failure.
func (s *server) graphCSV(*rest.Call) (rest.Answer, error) {
	text := graph.CSV(s.nodes())
	if text == "" {
		text = "\n"
	}
	return rest.Answer{Text: text}, nil
}

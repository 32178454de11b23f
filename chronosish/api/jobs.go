package api

import (
	"strings"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/graph"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/chronosish/schedule"
)

func render(list []book.Status) []job.Document {
	out := make([]job.Document, 0, len(list))
	zones := schedule.Zones{}
	for _, st := range list {
		out = append(out, shown(st, zones))
	}
	return out
}

func (s *server) listJobs(*call) (answer, error) { return ok(render(s.all())) }

func (s *server) showJob(c *call) (answer, error) {
	st, err := s.read(c.name)
	if err != nil {
		return answer{}, err
	}
	return ok(shown(st, nil))
}

// maxPage bounds the parameters that count.
const maxPage = 1_000_000

func (s *server) searchJobs(c *call) (answer, error) {
	limit, err := c.number("limit", 10, maxPage)
	if err != nil {
		return answer{}, err
	}
	offset, err := c.number("offset", 0, maxPage)
	if err != nil {
		return answer{}, err
	}
	q := c.r.URL.Query()
	has := func(text, part string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(part)) }
	var found []book.Status
	for _, st := range s.all() {
		name, command, either := q.Get("name"), q.Get("command"), q.Get("any")
		if has(st.Job.Name, name) && has(st.Job.Command, command) && (has(st.Job.Name, either) || has(st.Job.Command, either)) {
			found = append(found, st)
		}
	}
	found = found[min(offset, len(found)):]
	return ok(render(found[:min(limit, len(found))]))
}

type summaryDocument struct {
	Name     string   `json:"name"`
	Status   string   `json:"status"`
	State    string   `json:"state"`
	Schedule string   `json:"schedule"` // "" of a job with parents
	Parents  []string `json:"parents"`
	Disabled bool     `json:"disabled"`
}

func (s *server) summary(*call) (answer, error) {
	list, zones := []summaryDocument{}, schedule.Zones{}
	for _, st := range s.all() {
		list = append(list, summaryDocument{
			Name: st.Job.Name, Status: status(st), State: state(st), Schedule: now(st, zones),
			Parents: append([]string{}, st.Job.Parents...), Disabled: st.Job.Disabled || st.Exhausted,
		})
	}
	return ok(struct {
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

func (s *server) graphDOT(*call) (answer, error) { return answer{text: graph.DOT(s.nodes())}, nil }

// graphCSV is an empty line where there is no job: chronos-python takes an answer of 200
// without a body for a failure.
func (s *server) graphCSV(*call) (answer, error) {
	text := graph.CSV(s.nodes())
	if text == "" {
		text = "\n"
	}
	return answer{text: text}, nil
}

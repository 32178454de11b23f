package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

type taskList struct {
	Tasks []taskDocument `json:"tasks"`
}

func (s *server) listAppTasks(c *call) (rest.Answer, error) {
	st, err := s.read(c.id)
	if err != nil {
		return rest.Answer{}, err
	}
	if c.wantsText() {
		return rest.Answer{Text: endpoints([]fleet.AppStatus{st})}, nil
	}
	return rest.JSON(taskList{renderTasks(st, c.embed())})
}

func (s *server) listTasks(c *call) (rest.Answer, error) {
	wanted, err := c.states()
	if err != nil {
		return rest.Answer{}, err
	}
	e := c.embed()
	all := s.look(embed{}).apps
	if c.wantsText() {
		return rest.Answer{Text: endpoints(all)}, nil
	}
	tasks := []taskDocument{}
	for _, st := range all {
		for _, t := range renderTasks(st, e) {
			if len(wanted) == 0 || slices.Contains(wanted, t.State) {
				tasks = append(tasks, t)
			}
		}
	}
	return rest.JSON(taskList{tasks})
}

// states are those that ?status= picks; none for all.
func (c *call) states() ([]string, error) {
	q := c.R.URL.Query()
	var out []string
	for _, v := range append(q["status"], q["status[]"]...) {
		switch v {
		case "running":
			out = append(out, "TASK_RUNNING")
		case "staging":
			out = append(out, "TASK_STAGING", "TASK_STARTING")
		default:
			return nil, app.Invalid("/status", "must be running or staging, and is %q", rest.Cut(v))
		}
	}
	return out, nil
}

// endpoints writes what runs as lines of the app's name, a service port, and where it
// is reached, separated by tabs; a balancer of Marathon's first days reads them.
func endpoints(apps []fleet.AppStatus) string {
	var b strings.Builder
	for _, st := range apps {
		running := slices.DeleteFunc(slices.Clone(st.Instances), func(i fleet.Instance) bool { return i.State != "TASK_RUNNING" })
		name := st.App.ID.TaskPrefix()
		if len(st.App.PortDefinitions) == 0 {
			b.WriteString(name + "\t \t")
			for _, i := range running {
				b.WriteString(i.Host + "\t")
			}
			b.WriteString("\n")
		}
		for n, p := range st.App.PortDefinitions {
			b.WriteString(name + "\t" + strconv.Itoa(p.Port) + "\t")
			for _, i := range running {
				if n < len(i.Ports) {
					b.WriteString(i.Host + ":" + strconv.Itoa(i.Ports[n]) + "\t")
				}
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// kill asks for an end of tasks, and answers with them, or with the deployment that
// makes the app smaller.
func (s *server) kill(c *call, ch fleet.Change) (rest.Answer, []taskDocument, error) {
	out, err := s.change(c, ch)
	if err != nil {
		return rest.Answer{}, nil, err
	}
	if ch.Scale && out.Deployment != "" {
		return changed(http.StatusOK, out), nil, nil
	}
	ports := map[app.ID][]int{}
	s.backend.Read(func(f View) {
		for _, i := range out.Killed {
			if _, known := ports[i.App]; !known {
				st, _ := f.App(i.App)
				ports[i.App] = servicePorts(st.App)
			}
		}
	})
	tasks := []taskDocument{}
	for _, i := range out.Killed {
		tasks = append(tasks, renderTask(i, ports[i.App], c.embed()))
	}
	return rest.Answer{Body: taskList{tasks}}, tasks, nil
}

func (s *server) killAppTasks(c *call) (rest.Answer, error) {
	scale, wipe, force, err := c.killFlags()
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := s.read(c.id); err != nil {
		return rest.Answer{}, err
	}
	a, _, err := s.kill(c, fleet.Change{Kind: fleet.Kill, IDs: []app.ID{c.id}, Host: c.R.URL.Query().Get("host"), Scale: scale, Wipe: wipe, Force: force})
	return a, err
}

// killTask kills the task of that id; the app in the address is not looked at, because
// clients guess it from the id and guess wrong.
func (s *server) killTask(c *call) (rest.Answer, error) {
	scale, wipe, force, err := c.killFlags()
	if err != nil {
		return rest.Answer{}, err
	}
	id, known := sdk.TaskID(c.arg), false
	s.backend.Read(func(f View) { _, known = f.Task(id) })
	if !known {
		return rest.Answer{}, app.MissingTask(rest.Cut(c.arg))
	}
	a, tasks, err := s.kill(c, fleet.Change{Kind: fleet.Kill, Tasks: []sdk.TaskID{id}, Scale: scale, Wipe: wipe, Force: force})
	switch {
	case err != nil:
		return rest.Answer{}, err
	case tasks == nil: // a deployment
		return a, nil
	case len(tasks) == 0: // it ended meanwhile
		return rest.Answer{}, app.MissingTask(rest.Cut(c.arg))
	}
	return rest.JSON(struct {
		Task taskDocument `json:"task"`
	}{tasks[0]})
}

func (s *server) killTasks(c *call) (rest.Answer, error) {
	scale, wipe, force, err := c.killFlags()
	if err != nil {
		return rest.Answer{}, err
	}
	body, err := c.Body(s.opts.MaxBody)
	if err != nil {
		return rest.Answer{}, err
	}
	ids, err := taskIDs(body)
	if err != nil {
		return rest.Answer{}, err
	}
	a, _, err := s.kill(c, fleet.Change{Kind: fleet.Kill, Tasks: ids, Scale: scale, Wipe: wipe, Force: force})
	return a, err
}

// taskIDs reads {"ids":[…]}.
func taskIDs(body []byte) ([]sdk.TaskID, error) {
	var want struct{ IDs []sdk.TaskID }
	err := json.Unmarshal(body, &want)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return nil, &app.Refusal{Status: http.StatusUnprocessableEntity, Message: "Invalid JSON", Details: []app.Detail{{Path: "/ids", Errors: []string{"must be a list of texts"}}}}
	case err != nil:
		return nil, &app.Refusal{Status: http.StatusBadRequest, Message: "Invalid JSON", Details: []app.Detail{{Path: "/", Errors: []string{err.Error()}}}}
	case want.IDs == nil:
		return nil, app.Invalid("/ids", "must be given")
	}
	for _, id := range want.IDs {
		if name, tail, dot := strings.Cut(string(id), "."); !dot || name == "" || tail == "" || sdk.ValidateID("ids", id) != nil {
			return nil, app.Refusef(http.StatusBadRequest, "%q is not the id of a task.", rest.Cut(string(id)))
		}
	}
	return want.IDs, nil
}

package fleet

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// TestScripts runs testdata/*.txt. Each line of a `run` is one thing that happens, and
// what the fleet does about it follows; tasks are called t1, t2…, deployments d1, d2…
// in the order in which they are first seen. A line takes 20 ms.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := newScript(t)
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				if d.Cmd != "run" {
					d.Fatalf(t, "unknown directive %q", d.Cmd)
				}
				s.out.Reset()
				for line := range strings.SplitSeq(d.Input, "\n") {
					if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
						continue
					}
					s.printf("> %s", line)
					s.do(line)
				}
				return s.out.String()
			})
		})
	}
}

// script is a world that is told what to do, and prints what the fleet does.
type script struct {
	*world
	t      *testing.T
	out    strings.Builder
	names  map[string]string // of ids
	byName map[string]string
	events bool // are printed
	logs   bool
}

func newScript(t *testing.T) *script {
	s := &script{t: t, names: map[string]string{}, byName: map[string]string{}}
	s.world = newWorld(t.Fatalf, 2)
	s.saw, s.leader = s.print, 5*time.Hour
	return s
}

func (s *script) printf(format string, args ...any) {
	fmt.Fprintf(&s.out, "%s\n", s.named(fmt.Sprintf(format, args...)))
}

var idForm = regexp.MustCompile(`([a-z]+\.)?[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

// named puts short names for ids, in the order in which they are first seen.
func (s *script) named(text string) string {
	return idForm.ReplaceAllStringFunc(text, func(id string) string {
		if s.names[id] == "" {
			letter, n := "d", 1
			if strings.Contains(id, ".") {
				letter = "t"
			}
			for s.byName[letter+strconv.Itoa(n)] != "" {
				n++
			}
			s.names[id] = letter + strconv.Itoa(n)
			s.byName[s.names[id]] = id
		}
		return s.names[id]
	})
}

func (s *script) print(e mind.Effect) {
	switch e := e.(type) {
	case mind.Commit:
		var parts []string
		for _, w := range e.Writes {
			verb := "put"
			if w.Type != sdk.StorePut {
				verb = "delete"
			}
			key := strings.ReplaceAll(w.Key, "2024-01-01T00:", "")
			if strings.Contains(string(w.Value), `"doom"`) {
				key += " (doomed)"
			}
			parts = append(parts, verb+" "+key)
		}
		s.printf("  commit %s", strings.Join(parts, ", "))
	case mind.Accept:
		var parts []string
		for _, t := range e.Tasks {
			parts = append(parts, fmt.Sprintf("%s index %s", t.TaskID, variable(&t, "MARATHON_INSTANCE_INDEX")))
		}
		s.printf("  launch on %s: %s", s.offers[e.Offer].name, strings.Join(parts, ", "))
	case mind.Kill:
		s.printf("  KILL %s", e.Task)
	case mind.Acknowledge:
		if terminal(e.Status.State) {
			s.printf("  acknowledge %s %s", e.Status.TaskID, e.Status.State)
		}
	case mind.Reply[Outcome]:
		s.printReply(e)
	case mind.Suppress:
		s.printf("  suppress %s", e.Role)
	case mind.Revive:
		s.printf("  revive %s", e.Role)
	case Publish:
		if s.events {
			s.printf("  event %s %s", e.Body.EventType(), s.brief(e))
		}
	case mind.Log:
		if s.logs {
			s.printf("  log: %s %v", e.Message, e.KV)
		}
	}
}

func (s *script) brief(e Publish) string {
	text := fmt.Sprintf("%+v", e.Body)
	if i := strings.Index(text, "Plan:"); i > 0 {
		text = text[:i]
	}
	text = pointerForm.ReplaceAllString(text, "…")
	return strings.NewReplacer("{", "", "}", "", "2024-01-01T00:", "").Replace(text)
}

var pointerForm = regexp.MustCompile(`0x[0-9a-f]+`)

func variable(t *sdk.TaskInfo, name string) string {
	for _, v := range t.Command.Environment.Variables {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

func (s *script) printReply(r mind.Reply[Outcome]) {
	switch {
	case r.Refusal != nil:
		refusal := r.Refusal.(*app.Refusal)
		text := fmt.Sprintf("  refused: %d %s", refusal.Status, refusal.Error())
		if refusal.Stale {
			text += " (stale)"
		}
		if len(refusal.Deployments) > 0 {
			text += fmt.Sprint(" ", refusal.Deployments)
		}
		s.printf("%s", text)
	default:
		text := "  done"
		if r.Outcome.Deployment != "" {
			text += " " + r.Outcome.Deployment
		}
		for _, k := range r.Outcome.Killed {
			text += " killed " + string(k.TaskID)
		}
		s.printf("%s", text)
	}
}

// do carries out one line: a word, then arguments, then name=value options.
func (s *script) do(line string) {
	words := strings.Fields(line)
	var args []string
	opts := map[string]string{}
	for _, w := range words[1:] {
		if k, v, ok := strings.Cut(w, "="); ok {
			opts[k] = v
		} else {
			args = append(args, w)
		}
	}
	if !s.request(words[0], args, opts) && !s.happen(words[0], args, opts) {
		s.t.Fatalf("unknown verb in %q", line)
	}
	s.run()
	s.advance(mind.ReviveGap) // so that no revive is put off to the next line
}

func (s *script) request(verb string, args []string, opts map[string]string) bool {
	c := Change{Force: slices.Contains(args, "force"), Scale: slices.Contains(args, "scale")}
	args = slices.DeleteFunc(args, func(a string) bool { return a == "force" || a == "scale" })
	if v, ok := opts["ifversion"]; ok {
		c.IfVersion = map[app.ID]app.Version{app.ID(args[0]): app.Version(v)}
	}
	switch verb {
	case "create", "put", "boot":
		c.Kind = map[string]Kind{"create": Create, "put": Put, "boot": Boot}[verb]
		for _, id := range args {
			c.Apps = append(c.Apps, s.define(app.ID(id), opts))
		}
	case "delete", "restart", "reset":
		c.Kind = map[string]Kind{"delete": Delete, "restart": Restart, "reset": ResetDelay}[verb]
		for _, id := range args {
			c.IDs = append(c.IDs, app.ID(id))
		}
	case "kill":
		c.Kind, c.Host = Kill, opts["host"]
		for _, x := range args {
			if strings.HasPrefix(x, "/") {
				c.IDs = append(c.IDs, app.ID(x))
			} else {
				c.Tasks = append(c.Tasks, sdk.TaskID(s.byName[x]))
			}
		}
	case "cancel":
		c.Kind, c.Deployment = Cancel, s.byName[args[0]]
	default:
		return false
	}
	s.change(c)
	return true
}

// define makes an app of options; what is not given is as it was.
func (s *script) define(id app.ID, opts map[string]string) *app.App {
	a := definition(id, 1)
	if old, ok := s.f.App(id); ok {
		a = old.App.Clone()
	}
	number := func(name string) (float64, bool) {
		v, err := strconv.ParseFloat(opts[name], 64)
		return v, err == nil
	}
	if v, ok := number("n"); ok {
		a.Instances = int(v)
	}
	if v, ok := number("min"); ok {
		a.UpgradeStrategy.MinimumHealthCapacity = v
	}
	if v, ok := number("over"); ok {
		a.UpgradeStrategy.MaximumOverCapacity = v
	}
	if v, ok := number("cpus"); ok {
		a.CPUs = v
	}
	if v, ok := number("backoff"); ok {
		a.BackoffSeconds = int(v)
	}
	if v, ok := number("inactive"); ok {
		a.UnreachableStrategy = &app.UnreachableStrategy{InactiveAfter: int(v), ExpungeAfter: 2 * int(v)}
	}
	if v, ok := opts["drain"]; ok {
		a.Labels = map[string]string{app.LabelDrain: v}
	}
	if v, ok := opts["cmd"]; ok {
		a.Cmd = &v
	}
	if v, ok := opts["role"]; ok {
		a.Role = v
	}
	if v, ok := opts["unique"]; ok {
		a.Constraints = []app.Constraint{{Field: v, Operator: app.Unique}}
	}
	if v, ok := opts["check"]; ok {
		a.HealthChecks = []app.HealthCheck{{Protocol: app.Protocol(v), MaxConsecutiveFailures: 1, IntervalSeconds: 1}}
	}
	if _, ok := opts["ports"]; ok {
		a.PortDefinitions = []app.PortDefinition{{Protocol: "tcp"}}
	}
	return a
}

func (s *script) task(name string) *task {
	t := s.tasks[sdk.TaskID(s.byName[name])]
	if t == nil {
		s.t.Fatalf("there is no task %s", name)
	}
	return t
}

func (s *script) happen(verb string, args []string, opts map[string]string) bool {
	yes, no := true, false
	switch verb {
	case "run":
		for _, name := range args {
			s.becomes(s.task(name), sdk.TaskStarting, nil, "")
			s.world.run()
			s.becomes(s.task(name), sdk.TaskRunning, nil, "")
			s.world.run()
		}
	case "healthy":
		s.checked(s.task(args[0]), sdk.HealthResult{Alive: &yes})
	case "sick":
		n, _ := strconv.Atoi(args[1])
		s.checked(s.task(args[0]), sdk.HealthResult{Alive: &no, ConsecutiveFailures: uint32(n), LastFailureCause: "refused"})
	case "executor-kills": // over a check that failed too often
		t := s.task(args[0])
		t.killed = true
		s.count++
		s.inputs = append(s.inputs, mind.Update{Status: sdk.TaskStatus{
			TaskID: t.info.TaskID, AgentID: sdk.AgentID(t.on.name), State: sdk.TaskKilling, Healthy: &no, Reason: sdk.ReasonTaskHealthCheckStatusUpdated,
			HealthResults: []sdk.HealthResult{{Alive: &no, ConsecutiveFailures: 1, LastFailureCause: "refused"}},
			Message:       "health check 0 failed", Timestamp: s.stamp(), UUID: []byte(fmt.Sprintf("uuid%012d", s.count)),
		}})
	case "die":
		s.becomes(s.task(args[0]), sdk.TaskFailed, nil, "it failed")
	case "end": // of those that got a KILL
		for _, t := range s.live() {
			if t.killed {
				s.becomes(t, sdk.TaskKilled, nil, "it was killed")
				s.world.run()
			}
		}
	case "resend":
		s.resend()
	case "silence", "back":
		s.silence(s.machine(args[0]), verb == "silence")
	case "gone": // an agent of whose tasks the leading master has not heard
		for _, t := range s.live() {
			if t.on.name == args[0] {
				t.state = sdk.TaskGoneByOperator
			}
		}
		s.step(mind.AgentFailed{Agent: sdk.AgentID(args[0])})
		s.world.run()
	case "advance":
		d, err := time.ParseDuration(args[0])
		if err != nil {
			s.t.Fatal(err)
		}
		s.advance(d)
	case "crash":
		s.boot()
	case "subscribe":
		s.inputs = nil
		s.forgetOffers()
		s.subscribe()
	case "hold":
		s.hold = true
	case "release":
		s.release()
	case "limit":
		s.limit, _ = strconv.Atoi(args[0])
	case "show":
		s.show(args[0])
	default:
		return false
	}
	return true
}

func (s *script) checked(t *task, r sdk.HealthResult) {
	s.count++
	s.inputs = append(s.inputs, mind.Update{Status: sdk.TaskStatus{
		TaskID: t.info.TaskID, AgentID: sdk.AgentID(t.on.name), State: t.state, Healthy: r.Alive, HealthResults: []sdk.HealthResult{r}, Timestamp: s.stamp(),
		UUID: []byte(fmt.Sprintf("uuid%012d", s.count)),
	}})
}

func (s *script) silence(m *machine, silent bool) {
	m.silent, m.since = silent, s.now
	clear(m.refused)
	for _, t := range s.live() {
		if t.on == m {
			st := sdk.TaskStatus{TaskID: t.info.TaskID, AgentID: sdk.AgentID(m.name), State: t.state, Timestamp: s.stamp()}
			if silent {
				s.unreachable(&st, m)
			}
			s.inputs = append(s.inputs, mind.Update{Status: st})
		}
	}
	s.world.run()
	if !silent {
		s.resend()
	}
}

func (s *script) show(what string) {
	switch what {
	case "events":
		s.events = true
	case "logs":
		s.logs = true
	case "nothing":
		s.events, s.logs = false, false
	case "deployments":
		for _, d := range s.f.Deployments() {
			s.printf("  %s step %d of %d: %v; %v", d.ID, d.Step, d.Total, d.Current, d.Waits)
		}
	case "queue":
		for _, w := range s.f.Queue() {
			s.printf("  %s waits for %d, delay %v, overdue %t: %s", w.App.ID, w.Count, w.DelayLeft, w.Overdue, w.Why)
		}
	default:
		st, ok := s.f.App(app.ID(what))
		if !ok {
			s.printf("  there is no %s", what)
			return
		}
		s.printf("  %s: %d wanted, %d staged, %d running, %d healthy, %d unhealthy %v", what, st.App.Instances, st.Staged, st.Running, st.Healthy, st.Unhealthy, st.Deployments)
		for _, i := range st.Instances {
			line := fmt.Sprintf("  index %d %s %s on %s", i.Index, i.TaskID, i.State, i.AgentID)
			if i.Why != "" {
				line += ": " + i.Why
			}
			s.printf("%s", line)
		}
		if f := st.LastFailure; f != nil {
			s.printf("  last failure: %s %s %s", f.TaskID, f.State, f.Message)
		}
	}
}

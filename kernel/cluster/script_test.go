package cluster

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// TestScripts runs testdata/*.txt. Each line of a `run` is one thing that
// happens, and what the cluster does about it follows. Every script runs twice
// at once, and both runs must say the same.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			a, b := newWorld(), newWorld()
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				if d.Cmd != "run" {
					d.Fatalf(t, "unknown directive %q", d.Cmd)
				}
				first, second := a.script(t, d.Input), b.script(t, d.Input)
				if first != second {
					t.Fatalf("%s: two runs differ:\n%s\nand\n%s", d.Pos, first, second)
				}
				if strings.Contains(first, "BROKEN") {
					t.Errorf("%s: %s", d.Pos, first)
				}
				return first
			})
		})
	}
}

func (w *world) script(t *testing.T, input string) string {
	w.out.Reset()
	for line := range strings.SplitSeq(input, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		w.printf("> %s", line)
		if err := w.do(line); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	return w.out.String()
}

// do carries out one line: a word, then arguments, then name=value options.
func (w *world) do(line string) error {
	words := strings.Fields(line)
	var args []string
	opts := map[string]string{}
	if i := strings.Index(line, "{"); i >= 0 {
		args = append(append(args, strings.Fields(line[:i])[1:]...), line[i:])
	} else {
		for _, word := range words[1:] {
			if k, v, ok := strings.Cut(word, "="); ok {
				opts[k] = v
			} else {
				args = append(args, word)
			}
		}
	}
	if f, ok := agentVerbs[words[0]]; ok {
		return f(w, args, opts)
	}
	if f, ok := schedulerVerbs[words[0]]; ok {
		return f(w, w.schedulers[args[0]], args[1:], opts)
	}
	return w.control(words[0], args, opts)
}

func (w *world) control(verb string, args []string, opts map[string]string) error {
	switch verb {
	case "show":
		w.operators = w.operators || args[0] == "operators"
		w.logs = w.logs || args[0] == "logs"
	case "hide":
		w.operators, w.logs = false, false
	case "advance":
		d, err := time.ParseDuration(args[0])
		if err != nil {
			return err
		}
		w.advance(d)
	case "skip": // time passes without a leader
		d, err := time.ParseDuration(args[0])
		if err != nil {
			return err
		}
		w.now = w.now.Add(d)
	case "hold":
		w.hold = true
	case "commit":
		w.hold = false
		for _, p := range w.held {
			w.queue = append(w.queue, Committed{ID: p.ID, Result: w.commit(p.Command)})
		}
		w.held = nil
		w.drain()
		w.settle()
	case "fail":
		w.step(Failed{ID: w.held[0].ID, Err: fmt.Errorf("the leadership was lost")})
	case "elect":
		// A new leader; every stream is gone.
		w.term++
		w.hold, w.held, w.queue = false, nil, nil
		w.elect()
		w.step(Tick{})
	case "member": // member m2 knows=2: a master is added that understands so much
		knows, err := strconv.ParseUint(opts["knows"], 10, 32)
		if err != nil {
			return err
		}
		w.commit(registry.Command{Type: registry.CommandMember, Member: &registry.Member{Name: args[0], Command: uint32(knows)}})
	case "giveup":
		// The registry learns it from an operator of an earlier leader.
		w.commit(registry.Command{Type: registry.CommandAgentGone, Agent: &registry.AgentRef{ID: w.agents[args[0]].id}})
	case "operator":
		call := &sdk.OperatorCall{}
		if args[0] == "teardown" {
			call.Type, call.Teardown = sdk.OperatorTeardown, &sdk.Teardown{FrameworkID: w.idOf(args[1])}
		} else {
			call.Type, call.KillTask = sdk.OperatorKillTask, &sdk.KillTask{FrameworkID: w.idOf(args[1]), TaskID: sdk.TaskID(args[2])}
		}
		w.step(OperatorCall{Request: w.request(), Caller: Caller{Operator: true}, Call: call})
	default:
		return fmt.Errorf("unknown verb %q", verb)
	}
	return nil
}

func (w *world) idOf(name string) sdk.FrameworkID {
	if s := w.schedulers[name]; s != nil {
		return s.id
	}
	return sdk.FrameworkID(name)
}

// expand replaces $name by the id of the framework or agent of that name.
func (w *world) expand(text string) string {
	for _, name := range sortedKeys(w.schedulers) {
		text = strings.ReplaceAll(text, "$"+name, string(w.schedulers[name].id))
	}
	for _, name := range sortedKeys(w.agents) {
		text = strings.ReplaceAll(text, "$"+name, string(w.agents[name].id))
	}
	return text
}

var schedulerVerbs = map[string]func(w *world, s *fakeScheduler, args []string, opts map[string]string) error{
	"close": func(w *world, s *fakeScheduler, _ []string, _ map[string]string) error {
		w.step(SchedulerClosed{Session: s.session})
		return nil
	},
	// call f1 {"type": ...}: any call, in Mesos's JSON; framework_id is filled in.
	"call": func(w *world, s *fakeScheduler, args []string, _ map[string]string) error {
		call := &sdk.Call{}
		if err := wire.Unmarshal(wire.JSON, []byte(w.expand(args[len(args)-1])), call); err != nil {
			return err
		}
		if call.FrameworkID == "" {
			call.FrameworkID = s.id
		}
		session := s.session
		if len(args) > 1 {
			session = Session(strings.Trim(args[0], `"`))
		}
		w.step(SchedulerCall{Request: w.request(), Session: session, Caller: s.caller, Call: call})
		return nil
	},
	// accept f1 O0,O1 t1:cpus:1;mem:32 t2:... refuse=0
	"accept": func(w *world, s *fakeScheduler, args []string, opts map[string]string) error {
		call := &sdk.Call{Type: sdk.CallAccept, Accept: &sdk.Accept{OfferIDs: w.offerIDs(args[0]), Filters: filters(opts)}}
		launch := &sdk.Launch{}
		for _, arg := range args[1:] {
			id, text, _ := strings.Cut(arg, ":")
			r, err := sdk.ParseResources(text)
			if err != nil {
				return err
			}
			task := sdk.TaskInfo{Name: id, TaskID: sdk.TaskID(id), AgentID: w.agentOf(call.Accept.OfferIDs), Resources: r}
			if x := opts["executor"]; x != "" {
				task.Executor = &sdk.ExecutorInfo{ExecutorID: sdk.ExecutorID(x), Command: &sdk.CommandInfo{Value: "x"}}
				task.Executor.Resources, err = sdk.ParseResources(opts["needs"])
			} else {
				task.Command = &sdk.CommandInfo{Value: "sleep 100"}
			}
			if err != nil {
				return err
			}
			if p := opts["principal"]; p != "" {
				task.Labels = &sdk.Labels{Labels: []sdk.Label{{Key: "PROFFER_FRAMEWORK", Value: p}}}
			}
			launch.TaskInfos = append(launch.TaskInfos, task)
		}
		call.Accept.Operations = []sdk.Operation{{Type: sdk.OperationLaunch, Launch: launch}}
		return w.call(s, call)
	},
	"decline": func(w *world, s *fakeScheduler, args []string, opts map[string]string) error {
		return w.call(s, &sdk.Call{Type: sdk.CallDecline, Decline: &sdk.Decline{OfferIDs: w.offerIDs(args[0]), Filters: filters(opts)}})
	},
	"revive": func(w *world, s *fakeScheduler, args []string, _ map[string]string) error {
		return w.call(s, &sdk.Call{Type: sdk.CallRevive, Revive: &sdk.Revive{Roles: args}})
	},
	"suppress": func(w *world, s *fakeScheduler, args []string, _ map[string]string) error {
		return w.call(s, &sdk.Call{Type: sdk.CallSuppress, Suppress: &sdk.Suppress{Roles: args}})
	},
	"kill": func(w *world, s *fakeScheduler, args []string, opts map[string]string) error {
		return w.call(s, &sdk.Call{Type: sdk.CallKill, Kill: &sdk.Kill{TaskID: sdk.TaskID(args[0]), AgentID: sdk.AgentID(w.expand(opts["agent"]))}})
	},
	// ack f1 t1: the update of t1 that waits, at whichever agent has it.
	"ack": func(w *world, s *fakeScheduler, args []string, _ map[string]string) error {
		for _, name := range sortedKeys(w.agents) {
			a := w.agents[name]
			if t := a.tasks[taskKey{s.id, sdk.TaskID(args[0])}]; t != nil && t.uuid != nil {
				return w.call(s, &sdk.Call{Type: sdk.CallAcknowledge, Acknowledge: &sdk.Acknowledge{AgentID: a.id, TaskID: sdk.TaskID(args[0]), UUID: t.uuid}})
			}
		}
		return fmt.Errorf("no update of %s waits", args[0])
	},
	// reconcile f1 t1 t2@$a1
	"reconcile": func(w *world, s *fakeScheduler, args []string, _ map[string]string) error {
		call := &sdk.Reconcile{}
		for _, arg := range args {
			id, agent, _ := strings.Cut(arg, "@")
			call.Tasks = append(call.Tasks, sdk.ReconcileTask{TaskID: sdk.TaskID(id), AgentID: sdk.AgentID(w.expand(agent))})
		}
		return w.call(s, &sdk.Call{Type: sdk.CallReconcile, Reconcile: call})
	},
	"teardown": func(w *world, s *fakeScheduler, _ []string, _ map[string]string) error {
		return w.call(s, &sdk.Call{Type: sdk.CallTeardown})
	},
}

func (w *world) call(s *fakeScheduler, call *sdk.Call) error {
	call.FrameworkID = s.id
	w.step(SchedulerCall{Request: w.request(), Session: s.session, Caller: s.caller, Call: call})
	return nil
}

func (w *world) offerIDs(text string) []sdk.OfferID {
	var ids []sdk.OfferID
	for part := range strings.SplitSeq(text, ",") {
		if strings.HasPrefix(part, "O") {
			part = fmt.Sprintf("m%d-%s", w.term, part)
		}
		ids = append(ids, sdk.OfferID(part))
	}
	return ids
}

func (w *world) agentOf(ids []sdk.OfferID) sdk.AgentID {
	for _, id := range ids {
		if o := w.c.offers[id]; o != nil {
			return o.agent.id
		}
	}
	return "c-S0"
}

func filters(opts map[string]string) *sdk.Filters {
	text, ok := opts["refuse"]
	if !ok {
		return nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	return &sdk.Filters{RefuseSeconds: &seconds}
}

package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// agentVerbs are the lines about agents and subscriptions.
var agentVerbs = map[string]func(w *world, args []string, opts map[string]string) error{
	"agent":     (*world).addAgent,
	"register":  (*world).registerAgent,
	"subscribe": (*world).addScheduler,
	// subscribejson f1 {"framework_info": ...}
	"subscribejson": func(w *world, args []string, _ map[string]string) error {
		sub := &sdk.Subscribe{}
		if err := wire.Unmarshal(wire.JSON, []byte(w.expand(args[1])), sub); err != nil {
			return err
		}
		s := &fakeScheduler{session: w.session(args[0])}
		w.schedulers[args[0]] = s
		w.step(Subscribe{Request: w.request(), Session: s.session, Call: &sdk.Call{Type: sdk.CallSubscribe, FrameworkID: sub.FrameworkInfo.ID, Subscribe: sub}})
		return nil
	},
	// weigh a=2 b/c=0.5: an operator sets weights of roles.
	"weigh": func(w *world, _ []string, opts map[string]string) error {
		u := &sdk.UpdateWeights{}
		for _, role := range sortedKeys(opts) {
			weight, err := strconv.ParseFloat(opts[role], 64)
			if err != nil {
				return err
			}
			u.WeightInfos = append(u.WeightInfos, sdk.WeightInfo{Role: role, Weight: weight})
		}
		w.step(OperatorCall{Request: w.request(), Caller: Caller{Operator: true}, Call: &sdk.OperatorCall{Type: sdk.OperatorUpdateWeights, UpdateWeights: u}})
		return nil
	},
	// manifest CPUS [role=ROLE]: an operator sets the boot manifest.
	"manifest": func(w *world, args []string, opts map[string]string) error {
		cpus, err := strconv.ParseFloat(args[0], 64)
		if err != nil {
			return err
		}
		s := &sdk.SetBootManifest{Manifest: sdk.BootManifest{Frameworks: []sdk.BootFramework{{Name: "m", Principal: "m", Command: "run", Instances: 1, Role: opts["role"], CPUs: cpus, Mem: 1}}}}
		w.step(OperatorCall{Request: w.request(), Caller: Caller{Operator: true}, Call: &sdk.OperatorCall{Type: sdk.OperatorSetBootManifest, SetBootManifest: s}})
		return nil
	},
	// care drain a1 [grace=1s] [gone=yes], care deactivate|reactivate|gone a1
	"care": func(w *world, args []string, opts map[string]string) error {
		id := sdk.AgentID(args[1])
		if a := w.agents[args[1]]; a != nil {
			id = a.id
		}
		call := &sdk.OperatorCall{}
		switch args[0] {
		case "drain":
			call.Type, call.DrainAgent = sdk.OperatorDrain, &sdk.DrainAgent{AgentID: id, MarkGone: opts["gone"] != ""}
			if text := opts["grace"]; text != "" {
				d, err := time.ParseDuration(text)
				if err != nil {
					return err
				}
				call.DrainAgent.MaxGracePeriod = &sdk.Duration{Seconds: int64(d / time.Second), Nanos: int32(d % time.Second)}
			}
		case "deactivate":
			call.Type, call.DeactivateAgent = sdk.OperatorDeactivate, &sdk.DeactivateAgent{AgentID: id}
		case "reactivate":
			call.Type, call.ReactivateAgent = sdk.OperatorReactivate, &sdk.ReactivateAgent{AgentID: id}
		case "gone":
			call.Type, call.MarkAgentGone = sdk.OperatorMarkGone, &sdk.MarkAgentGone{AgentID: id}
		default:
			call.Type = sdk.OperatorDrain // without a body
		}
		w.step(OperatorCall{Request: w.request(), Caller: Caller{Operator: true}, Call: call})
		return nil
	},
	// gossip a1 loses, gossip a1 finds
	"gossip": func(w *world, args []string, _ map[string]string) error {
		w.step(AgentSuspected{Address: w.agents[args[0]].info.Hostname + ":5051", Suspected: args[1] == "loses"})
		return nil
	},
	// options mass=0.5 masswait=5m offers=0.8 offerwait=5s rate=1/10s trim=15m age=336h count=9: for the next leader
	"options": func(w *world, _ []string, opts map[string]string) (err error) {
		for _, key := range sortedKeys(opts) {
			text := opts[key]
			switch key {
			case "mass":
				w.opt.MassShare, err = strconv.ParseFloat(text, 64)
			case "offers":
				w.opt.OfferShare, err = strconv.ParseFloat(text, 64)
			case "masswait":
				w.opt.MassWait, err = time.ParseDuration(text)
			case "offerwait":
				w.opt.OfferWait, err = time.ParseDuration(text)
			case "trim":
				w.opt.TrimInterval, err = time.ParseDuration(text)
			case "age":
				w.opt.MaxAgentAge, err = time.ParseDuration(text)
			case "count":
				w.opt.MaxAgentCount, err = strconv.Atoi(text)
			case "rate":
				w.opt.RemovalRate, err = ParseRemovalRate(text)
			}
			if err != nil {
				return err
			}
		}
		return nil
	},
	"drop": func(w *world, args []string, _ map[string]string) error {
		w.step(AgentClosed{Session: w.agents[args[0]].session})
		return nil
	},
	// notice a1 MESSAGE: the shell found out something about the agent.
	"notice": func(w *world, args []string, _ map[string]string) error {
		w.step(AgentNotice{Session: w.agents[args[0]].session, Message: args[1]})
		return nil
	},
	// life f1 t1 [a1]: what is known of a task, on that agent or wherever it is.
	"life": func(w *world, args []string, _ map[string]string) error {
		var on sdk.AgentID
		if len(args) > 2 {
			if on = sdk.AgentID(args[2]); w.agents[args[2]] != nil {
				on = w.agents[args[2]].id
			}
		}
		w.printf("%s", [...]string{"strange", "awaited", "lives", "ended"}[w.c.LifeOf(w.idOf(args[0]), sdk.TaskID(args[1]), on)])
		return nil
	},
	// forget a1 f1 t1: the agent loses what it knows of a task.
	"forget": func(w *world, args []string, _ map[string]string) error {
		a, id := w.agents[args[0]], w.idOf(args[1])
		delete(a.tasks, taskKey{id, sdk.TaskID(args[2])})
		delete(a.executors, executorKey{id, sdk.ExecutorID(args[2])})
		return nil
	},
	"heartbeat": func(w *world, args []string, _ map[string]string) error {
		return w.tell(args[0], &link.Call{Type: link.CallHeartbeat})
	},
	// update a1 f1 t1 TASK_RUNNING [latest=TASK_FINISHED] [reason=...] [again]
	"update": func(w *world, args []string, opts map[string]string) error {
		a, id := w.agents[args[0]], w.idOf(args[1])
		key := taskKey{id, sdk.TaskID(args[2])}
		t := a.tasks[key]
		if t == nil {
			t = &fakeTask{}
			a.tasks[key] = t
		}
		if t.uuid == nil || opts["again"] == "" {
			t.uuid = w.uuid()
		}
		t.state = sdk.TaskState(args[3])
		s := sdk.TaskStatus{TaskID: key.task, State: t.state, Source: sdk.SourceExecutor, Reason: sdk.Reason(opts["reason"]), UUID: t.uuid, Timestamp: 1}
		if opts["refused"] == "" {
			s.ContainerStatus = &sdk.ContainerStatus{ContainerID: &sdk.ContainerID{Value: "k"}}
		}
		u := &link.Update{FrameworkID: id, Status: s, Latest: sdk.TaskState(opts["latest"])}
		if u.Latest != "" {
			t.state = u.Latest
		}
		return w.tell(args[0], &link.Call{Type: link.CallUpdate, Update: u})
	},
	// answer a1 f1 t1 TASK_GONE [reason=REASON_TASK_UNKNOWN]
	"answer": func(w *world, args []string, opts map[string]string) error {
		s := sdk.TaskStatus{TaskID: sdk.TaskID(args[2]), State: sdk.TaskState(args[3]), Source: sdk.SourceAgent, Reason: sdk.Reason(opts["reason"])}
		return w.tell(args[0], &link.Call{Type: link.CallReconciled, Reconciled: &link.Reconciled{FrameworkID: w.idOf(args[1]), Status: s}})
	},
	// exited a1 f1 x1 256
	"exited": func(w *world, args []string, _ map[string]string) error {
		status, err := strconv.ParseInt(args[3], 10, 32)
		if err != nil {
			return err
		}
		delete(w.agents[args[0]].executors, executorKey{w.idOf(args[1]), sdk.ExecutorID(args[2])})
		return w.tell(args[0], &link.Call{Type: link.CallExecutorExited, ExecutorExited: &link.ExecutorExited{
			FrameworkID: w.idOf(args[1]), ExecutorID: sdk.ExecutorID(args[2]), Status: int32(status)}})
	},
	"says": func(w *world, args []string, _ map[string]string) error {
		return w.tell(args[0], &link.Call{Type: link.CallMessage, Message: &link.Message{
			FrameworkID: w.idOf(args[1]), ExecutorID: sdk.ExecutorID(args[2]), Data: []byte(args[3])}})
	},
	// resources a1 cpus:2;mem:512
	"resources": func(w *world, args []string, _ map[string]string) error {
		r, err := sdk.ParseResources(args[1])
		if err != nil {
			return err
		}
		w.agents[args[0]].info.Resources = r
		return w.tell(args[0], &link.Call{Type: link.CallResources, Resources: &link.Resources{Resources: r}})
	},
}

func (w *world) tell(name string, call *link.Call) error {
	a := w.agents[name]
	call.Version, call.AgentID = link.Version, a.id
	w.step(AgentCall{Request: w.request(), Session: a.session, Call: call})
	return nil
}

// agent a1 cpus:4;mem:8192 [attributes=rack:r1]
func (w *world) addAgent(args []string, opts map[string]string) error {
	r, err := sdk.ParseResources(args[1])
	if err != nil {
		return err
	}
	a := &fakeAgent{
		name:      args[0],
		info:      sdk.AgentInfo{Hostname: args[0] + ".example", Port: 5051, Resources: r},
		tasks:     map[taskKey]*fakeTask{},
		executors: map[executorKey]sdk.ExecutorInfo{},
		infos:     map[sdk.FrameworkID]sdk.FrameworkInfo{},
	}
	if text := opts["attributes"]; text != "" {
		if a.info.Attributes, err = sdk.ParseAttributes(text); err != nil {
			return err
		}
	}
	w.agents[args[0]] = a
	return w.registerAgent(args, opts)
}

// register a1 [highest=1.7] [nonce=...] [id=...] [hostname=...] [address=...]: the agent registers (again) with all it knows.
func (w *world) registerAgent(args []string, opts map[string]string) error {
	a := w.agents[args[0]]
	a.session = w.session(args[0])
	if len(args) > 1 { // it has other resources now
		var err error
		if a.info.Resources, err = sdk.ParseResources(args[1]); err != nil {
			return err
		}
	}
	call := a.report()
	if text := opts["highest"]; text != "" {
		if _, err := fmt.Sscanf(text, "%d.%d", &call.Register.Highest.Generation, &call.Register.Highest.Term); err != nil {
			return err
		}
	}
	if id := opts["id"]; id != "" {
		call.AgentID, call.Register.Agent.ID = sdk.AgentID(id), sdk.AgentID(id)
	}
	if host := opts["hostname"]; host != "" { // as in a Go string
		name, err := strconv.Unquote(`"` + host + `"`)
		if err != nil {
			return err
		}
		call.Register.Agent.Hostname = name
	}
	call.Register.Cluster = opts["cluster"]
	if call.AgentID == "" {
		call.Register.Nonce = opts["nonce"]
	}
	if text := opts["clock"]; text != "" { // how far it is ahead
		d, err := time.ParseDuration(text)
		if err != nil {
			return err
		}
		call.Register.Time = w.now.Add(d).UnixNano()
	}
	if at := opts["address"]; at != "" {
		call.Register.Address = at
	}
	w.step(AgentRegister{Request: w.request(), Session: a.session, Call: call})
	return nil
}

// subscribe f1 [again] [role=] [roles=a,b] [caps=A,B] [suppressed=a] [timeout=30]
// [principal=p] [as=p] [operator=yes] [id=...] [name=...] [user=...]
func (w *world) addScheduler(args []string, opts map[string]string) error {
	name := args[0]
	s := &fakeScheduler{info: sdk.FrameworkInfo{Name: name, User: "root"}}
	if len(args) > 1 && args[1] == "again" {
		old := w.schedulers[name]
		s.info, s.caller = old.info, old.caller
		s.info.ID, s.id = old.id, old.id
	}
	s.session = w.session(name)
	info := &s.info
	for _, key := range sortedKeys(opts) {
		v := opts[key]
		switch key {
		case "name":
			info.Name = v
		case "user":
			info.User = v
		case "role":
			info.Role = v
		case "roles":
			info.Roles = strings.Split(v, ",")
		case "caps":
			info.Capabilities = nil
			for c := range strings.SplitSeq(v, ",") {
				info.Capabilities = append(info.Capabilities, sdk.FrameworkCapability{Type: sdk.Capability(c)})
			}
		case "timeout":
			seconds, err := strconv.ParseFloat(v, 64)
			if err != nil {
				return err
			}
			info.FailoverTimeout = seconds
		case "principal":
			info.Principal = v
		case "as":
			s.caller.Principal = v
		case "operator":
			s.caller.Operator = true
		case "id":
			info.ID = sdk.FrameworkID(v)
		}
	}
	sub := &sdk.Subscribe{FrameworkInfo: *info}
	if v := opts["suppressed"]; v != "" {
		sub.SuppressedRoles = strings.Split(v, ",")
	}
	w.schedulers[name] = s
	w.step(Subscribe{Request: w.request(), Session: s.session, Caller: s.caller, Call: &sdk.Call{Type: sdk.CallSubscribe, FrameworkID: info.ID, Subscribe: sub}})
	return nil
}

package sdktest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/operator"
	"github.com/profferhq/proffer/sdk/wire"
)

// Runner carries out the commands of a script, one after the other:
//
//	subscribe F [as=F2] [roles=a,b] [suppressed=a] [failover=SECONDS] [plain] [noack] [json|protobuf]
//	    as a new framework, or under the id of F2's; plain is without capabilities
//	await F EVENT|TASK=STATE|END …
//	    waits for each and writes it, for a task all its updates up to that state
//	quiet F DURATION [EVENT]
//	    waits, and writes what came and was not awaited (offers only when named)
//	launch F TASK… [cpus=N] [mem=N] [offer=O1] [agent=ID] [grace=SECONDS] [id=TEXT] [refuse=SECONDS]
//	    the input is the command; on the newest offer held unless one is named; what is
//	    left of the offer is refused for an hour, so that the next offer has all of it
//	group F EXECUTOR TASK… [cpus=N] [mem=N]
//	    LAUNCH_GROUP; the input is the tasks' commands, a line each
//	decline F [refuse=SECONDS] [offer=O1]
//	kill F TASK [agent=A1] [grace=SECONDS]
//	reconcile F [TASK[@AGENT]…]
//	suppress F [roles=a]      revive F [roles=a]      teardown F
//	acknowledge F TASK        with a uuid that was never sent
//	raw F                     the input is a JSON body; $F is the framework's id
//	close F                   closes the stream
type Runner struct {
	t        testing.TB
	masters  *masters.Client
	operator *operator.Client
	clients  map[string]*client
	names    names
}

// NewRunner makes a runner of scripts on the cluster of the master at addr.
func NewRunner(t testing.TB, addr, token string) *Runner {
	t.Helper()
	m, err := masters.New(masters.Options{Addrs: masters.SplitAddrs(addr), Token: token})
	if err != nil {
		t.Fatal(err)
	}
	op, err := operator.New(operator.Options{Addrs: masters.SplitAddrs(addr), Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return &Runner{t: t, masters: m, operator: op, clients: map[string]*client{}, names: newNames()}
}

// Close ends what the script left running, waits for it, so that the next script
// finds the cluster empty, and tears its frameworks down.
func (r *Runner) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), scriptPatience)
	defer cancel()
	if !waitUntil(ctx, func() bool { return r.killLeftovers(ctx) }) {
		r.t.Error("the tasks of the script do not end")
	}
	for _, c := range r.clients {
		_ = c.call(sdk.Call{Type: sdk.CallTeardown})
		if c.cancel != nil {
			c.cancel()
		}
	}
	r.masters.CloseIdle()
	r.operator.Close()
}

// killLeftovers kills the tasks of the script's frameworks and tells whether none
// is left.
func (r *Runner) killLeftovers(ctx context.Context) bool {
	tasks, err := r.operator.Tasks(ctx)
	if err != nil {
		r.t.Errorf("the script's tasks cannot be listed: %v", err)
		return true
	}
	none := true
	for i := range tasks.Tasks {
		task := &tasks.Tasks[i]
		for _, c := range r.clients {
			if c.id == task.FrameworkID {
				none = false
				_ = r.operator.Kill(ctx, task.FrameworkID, task.TaskID, time.Millisecond)
				break
			}
		}
	}
	return none
}

// Do carries out one command and writes what came of it.
func (r *Runner) Do(line, input string) string {
	a := parseArguments(line)
	if a.command == "subscribe" {
		return r.subscribe(a)
	}
	c := r.clients[a.word(0)]
	if c == nil {
		return fmt.Sprintf("no subscription %s", a.word(0))
	}
	switch a.command {
	case "await":
		return r.await(c, a)
	case "quiet":
		return r.quiet(c, a)
	case "launch":
		return r.launch(c, a, input)
	case "group":
		return r.group(c, a, input)
	case "decline":
		return r.decline(c, a)
	case "kill":
		return r.kill(c, a)
	case "reconcile":
		return r.reconcile(c, a)
	case "suppress":
		return r.send(c, sdk.Call{Type: sdk.CallSuppress, Suppress: &sdk.Suppress{Roles: list(a.options["roles"])}})
	case "revive":
		return r.send(c, sdk.Call{Type: sdk.CallRevive, Revive: &sdk.Revive{Roles: list(a.options["roles"])}})
	case "teardown":
		return r.send(c, sdk.Call{Type: sdk.CallTeardown})
	case "acknowledge":
		return r.send(c, sdk.Call{Type: sdk.CallAcknowledge, Acknowledge: &sdk.Acknowledge{
			AgentID: "nobody", TaskID: sdk.TaskID(a.word(1)), UUID: []byte("never-sent-uuid!"),
		}})
	case "raw":
		return refusalLine(c.post(wire.JSON.ContentType(), []byte(strings.ReplaceAll(input, "$F", string(c.id)))), "accepted")
	case "close":
		c.cancel()
		c.waitForEnd()
		return "closed"
	}
	return "unknown command " + a.command
}

func (r *Runner) send(c *client, call sdk.Call) string {
	return refusalLine(c.call(call), "accepted")
}

func (r *Runner) subscribe(a arguments) string {
	enc := wire.Msgpack
	info := sdk.FrameworkInfo{Name: "script", Checkpoint: true}
	info.FailoverTimeout, _ = strconv.ParseFloat(a.options["failover"], 64)
	for _, c := range []sdk.Capability{sdk.CapabilityPartitionAware, sdk.CapabilityTaskKillingState, sdk.CapabilityMultiRole, sdk.CapabilityReservationRefinement} {
		info.Capabilities = append(info.Capabilities, sdk.FrameworkCapability{Type: c})
	}
	info.Roles = []string{"*"}
	if roles := list(a.options["roles"]); roles != nil {
		info.Roles = roles
	}
	ack := true
	for _, word := range a.words[1:] {
		switch word {
		case "plain":
			info.Roles, info.Capabilities = nil, nil
		case "noack":
			ack = false
		case "json":
			enc = wire.JSON
		case "protobuf":
			enc = wire.Protobuf
		}
	}
	if as := r.clients[a.options["as"]]; as != nil {
		info.ID = as.id
	}
	c := newClient(r.masters, enc, ack)
	err := c.subscribe(&sdk.Call{Type: sdk.CallSubscribe, FrameworkID: info.ID, Subscribe: &sdk.Subscribe{
		FrameworkInfo: info, SuppressedRoles: list(a.options["suppressed"]),
	}})
	if err == nil {
		r.clients[a.word(0)] = c
	}
	return refusalLine(err, "streaming")
}

func (r *Runner) launch(c *client, a arguments, input string) string {
	offer, ok := r.offer(c, a)
	if !ok {
		return "no offer is held"
	}
	var operation sdk.Launch
	for _, task := range a.words[1:] {
		info := taskOf(a, task, offer.AgentID, input)
		if id, set := a.options["id"]; set {
			info.TaskID = sdk.TaskID(strings.ReplaceAll(id, "LONG", strings.Repeat("x", 256)))
		}
		if agent := a.options["agent"]; agent != "" {
			info.AgentID = sdk.AgentID(r.names.real(agent))
		}
		if a.options["cpus"] == "none" {
			info.Resources = nil
		}
		info.KillPolicy = grace(a)
		operation.TaskInfos = append(operation.TaskInfos, info)
	}
	return r.send(c, sdk.Call{Type: sdk.CallAccept, Accept: &sdk.Accept{
		OfferIDs: []sdk.OfferID{offer.ID}, Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &operation}},
		Filters: refusal(a, "3600"),
	}})
}

func taskOf(a arguments, name string, agent sdk.AgentID, command string) sdk.TaskInfo {
	return sdk.TaskInfo{
		Name: name, TaskID: sdk.TaskID(name), AgentID: agent,
		Resources: []sdk.Resource{scalar("cpus", option(a, "cpus", "0.1")), scalar("mem", option(a, "mem", "32"))},
		Command:   &sdk.CommandInfo{Value: command},
	}
}

func (r *Runner) group(c *client, a arguments, input string) string {
	offer, ok := r.offer(c, a)
	if !ok {
		return "no offer is held"
	}
	operation := sdk.LaunchGroup{Executor: sdk.ExecutorInfo{
		Type: sdk.ExecutorDefault, ExecutorID: sdk.ExecutorID(a.word(1)), FrameworkID: c.id,
		Resources: []sdk.Resource{scalar("cpus", "0.1"), scalar("mem", "32"), scalar("disk", "32")},
	}}
	commands := strings.Split(input, "\n")
	for i, task := range a.words[2:] {
		operation.TaskGroup.Tasks = append(operation.TaskGroup.Tasks, taskOf(a, task, offer.AgentID, commands[min(i, len(commands)-1)]))
	}
	return r.send(c, sdk.Call{Type: sdk.CallAccept, Accept: &sdk.Accept{
		OfferIDs: []sdk.OfferID{offer.ID}, Operations: []sdk.Operation{{Type: sdk.OperationLaunchGroup, LaunchGroup: &operation}},
		Filters: refusal(a, "3600"),
	}})
}

// offer is the offer that a command names, or the newest that is held.
func (r *Runner) offer(c *client, a arguments) (sdk.Offer, bool) {
	if name := a.options["offer"]; name != "" {
		offer := sdk.Offer{ID: sdk.OfferID(r.names.real(name)), AgentID: sdk.AgentID(r.names.real("A1"))}
		c.offers = slices.DeleteFunc(c.offers, func(o sdk.Offer) bool { return o.ID == offer.ID })
		return offer, true
	}
	n := len(c.offers)
	if n == 0 {
		return sdk.Offer{}, false
	}
	offer := c.offers[n-1]
	c.offers = c.offers[:n-1]
	return offer, true
}

func (r *Runner) decline(c *client, a arguments) string {
	offer, ok := r.offer(c, a)
	if !ok {
		return "no offer is held"
	}
	return r.send(c, sdk.Call{Type: sdk.CallDecline, Decline: &sdk.Decline{OfferIDs: []sdk.OfferID{offer.ID}, Filters: refusal(a, "")}})
}

func (r *Runner) kill(c *client, a arguments) string {
	return r.send(c, sdk.Call{Type: sdk.CallKill, Kill: &sdk.Kill{
		TaskID: sdk.TaskID(a.word(1)), AgentID: sdk.AgentID(r.names.real(a.options["agent"])), KillPolicy: grace(a),
	}})
}

func (r *Runner) reconcile(c *client, a arguments) string {
	call := &sdk.Reconcile{}
	for _, word := range a.words[1:] {
		task, agent, _ := strings.Cut(word, "@")
		call.Tasks = append(call.Tasks, sdk.ReconcileTask{TaskID: sdk.TaskID(task), AgentID: sdk.AgentID(r.names.real(agent))})
	}
	return r.send(c, sdk.Call{Type: sdk.CallReconcile, Reconcile: call})
}

func (r *Runner) quiet(c *client, a arguments) string {
	wait, err := time.ParseDuration(a.word(1))
	if err != nil {
		return err.Error()
	}
	offers := slices.Contains(a.words[2:], string(sdk.EventOffers))
	var lines []string
	for late := time.Now().Add(wait); ; {
		event, _ := c.take(func(e *sdk.Event) bool { return offers || e.Offers == nil }, time.Until(late))
		if event == nil {
			break
		}
		lines = append(lines, r.names.line(event))
	}
	if lines == nil {
		return "nothing"
	}
	return strings.Join(lines, "\n")
}

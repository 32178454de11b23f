package sdktest

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// agent is a simulated machine: the real agent's mind, with simulated processes
// below it. Kernel.mu guards it.
type agent struct {
	k      *Kernel
	name   string
	number int
	totals ledger.Totals

	records []ledger.Record // its disk
	boots   int             // of the machine
	starts  int             // of the agent's process
	mind    *ledger.Ledger  // nil while the process is down
	cut     bool            // no connection to the master comes about

	session  cluster.Session // of its stream, empty while it has none
	stream   uint64          // number of the stream
	inbox    []ledger.Input
	spoke    time.Time // when it last said something
	retry    time.Time // when it connects again
	nextTick time.Time

	pids      int32
	conns     uint64
	executors map[string]*executor // by container id
	tasks     map[string]*process  // by container id; those of custom executors by task id
	outcomes  map[string]Outcome   // of prepared containers
}

const (
	tickEvery      = time.Second
	heartbeatEvery = 2 * time.Second
	reconnectAfter = 500 * time.Millisecond
)

func newAgent(k *Kernel, a Agent, number int) (*agent, error) {
	text := a.Resources
	if text == "" {
		text = DefaultResources
	}
	resources, err := sdk.ParseResources(text)
	if err != nil {
		return nil, fmt.Errorf("agent %s: %w", a.Name, err)
	}
	attributes, err := sdk.ParseAttributes(a.Attributes)
	if err != nil {
		return nil, fmt.Errorf("agent %s: %w", a.Name, err)
	}
	return &agent{
		k: k, name: a.Name, number: number,
		totals: ledger.Totals{Resources: resources, Attributes: attributes},
	}, nil
}

// boot is a start of the machine: no process is left of what it ran.
func (a *agent) boot() {
	a.boots++
	a.executors, a.tasks, a.outcomes = map[string]*executor{}, map[string]*process{}, map[string]Outcome{}
	a.start()
}

// start is a start of the agent's process, from what its disk holds.
func (a *agent) start() {
	a.starts++
	o := ledger.DefaultOptions()
	o.Seed = fmt.Sprintf("%08x%08x", a.number+1, a.starts)
	o.Agent = sdk.AgentInfo{Hostname: a.name, Port: 5051}
	a.mind = ledger.New(o)
	for i := range a.records {
		if err := a.mind.Restore(carryRecord(&a.records[i])); err != nil {
			panic("sdktest: an agent cannot read its own records: " + err.Error())
		}
	}
	alive := map[string]bool{}
	for id := range a.executors {
		alive[id] = true
	}
	a.inbox = nil
	a.feed(ledger.Recovered{BootID: fmt.Sprintf("boot-%d", a.boots), Alive: alive}, a.totals)
	for _, id := range sortedKeys(a.executors) {
		a.executors[id].subscribe()
	}
	a.nextTick = a.k.now().Add(tickEvery)
	a.step()
	a.connect()
}

// connect registers with the master, as often as it takes.
func (a *agent) connect() {
	if a.mind == nil || a.cut || a.session != "" {
		return
	}
	a.stream++
	a.step() // what was sent on the old stream is lost
	a.mind.Step(a.k.now(), ledger.Opened{Stream: a.stream})
	report := a.mind.Report()
	report.Software, report.Address = Version, fmt.Sprintf("127.0.0.1:%d", 5051+10*a.number)
	call := carry(&link.Call{Version: link.Version, Type: link.CallRegister, AgentID: report.Agent.ID, Register: report})
	a.session, a.spoke, a.retry = a.k.newSession(), a.k.now(), time.Time{}
	a.k.inputs = append(a.k.inputs, cluster.AgentRegister{Session: a.session, Call: call})
}

// disconnected is the end of the stream, from whichever side.
func (a *agent) disconnected() {
	if a.session == "" {
		return
	}
	a.k.inputs = append(a.k.inputs, cluster.AgentClosed{Session: a.session})
	a.session = ""
	a.retry = a.k.now().Add(reconnectAfter)
	a.feed(ledger.Closed{Stream: a.stream})
}

// receive takes an event off the stream.
func (a *agent) receive(e *link.Event) { a.feed(ledger.FromMaster{Stream: a.stream, Event: carry(e)}) }

func (a *agent) feed(in ...ledger.Input) {
	if a.mind != nil {
		a.inbox = append(a.inbox, in...)
	}
}

// step lets the agent do what it can do now, and tells whether that was anything.
func (a *agent) step() (busy bool) {
	now := a.k.now()
	for _, id := range sortedKeys(a.tasks) {
		busy = a.tasks[id].step(now) || busy
	}
	if a.mind == nil {
		return busy
	}
	if !a.retry.IsZero() && !a.retry.After(now) {
		a.retry = time.Time{}
		a.connect()
		busy = true
	}
	if !a.nextTick.After(now) {
		a.nextTick = now.Add(tickEvery)
		a.feed(ledger.Tick{})
	}
	for len(a.inbox) > 0 {
		in := a.inbox[0]
		a.inbox = a.inbox[1:]
		a.mind.Step(now, in)
		ready := a.mind.Ready()
		a.records = append(a.records, ready.Records...)
		for _, e := range ready.Effects {
			a.perform(e)
		}
		busy = true
	}
	if a.session != "" && now.Sub(a.spoke) >= heartbeatEvery {
		a.say(&link.Call{Type: link.CallHeartbeat})
		busy = true
	}
	return busy
}

// due is when the agent does something by itself.
func (a *agent) due() (due time.Time, ok bool) {
	sooner := func(at time.Time) {
		if !at.IsZero() && (!ok || at.Before(due)) {
			due, ok = at, true
		}
	}
	for _, p := range a.tasks {
		sooner(p.due)
		if !p.killed {
			sooner(p.health.well)
			sooner(p.health.sick)
		}
	}
	if a.mind != nil {
		sooner(a.nextTick)
		sooner(a.retry)
	}
	return due, ok
}

// say sends a call to the master on the open stream.
func (a *agent) say(call *link.Call) {
	a.spoke = a.k.now()
	call.Version, call.AgentID = link.Version, a.mind.Agent()
	if call.Type == link.CallUpdate && a.k.lose > 0 {
		a.k.lose--
		return
	}
	a.k.inputs = append(a.k.inputs, cluster.AgentCall{Session: a.session, Call: carry(call)})
}

// perform carries out what the agent's mind wants.
func (a *agent) perform(e ledger.Effect) {
	switch e := e.(type) {
	case ledger.SendMaster:
		if e.Stream == a.stream && a.session != "" {
			call := *e.Call
			a.say(&call)
		}
	case ledger.CloseLink:
		if e.Stream == a.stream {
			a.disconnected()
		}
	case ledger.SendExecutor:
		if x := a.executorOn(e.Conn); x != nil {
			x.receive(e.Event)
		}
	case ledger.CloseExecutor:
		if x := a.executorOn(e.Conn); x != nil {
			x.conn = 0
		}
	case ledger.StartExecutor:
		a.startExecutor(e)
	case ledger.Prepare:
		a.prepare(e)
	case ledger.Destroy:
		a.destroy(e)
	case ledger.Retire:
		a.k.log.Warn("agent retired", "agent", a.name, "why", e.Message)
	case ledger.Note:
		a.k.log.Info(e.Message, "agent", a.name, "about", e.Key)
	}
}

func (a *agent) executorOn(conn uint64) *executor {
	for _, x := range a.executors {
		if x.conn == conn && conn != 0 {
			return x
		}
	}
	return nil
}

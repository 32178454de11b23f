package ledger

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// rig drives a ledger by the lines of a script. Each command prints what the
// ledger wants done; `crash` throws away what was not stored and starts anew from
// what was.
type rig struct {
	l       *Ledger
	now     time.Time
	stored  [][]byte
	hold    bool // the disk is slow: records are lost at a crash, effects withheld
	held    Ready
	started int
	stream  uint64
	uuids   map[string][]byte
	box     map[string]string // task or executor -> container
}

func newRig() *rig {
	r := &rig{now: time.Unix(1_700_000_000, 0), uuids: map[string][]byte{}, box: map[string]string{}}
	r.boot("boot-1", nil)
	return r
}

func (r *rig) boot(boot string, alive []string) {
	r.started++
	o := DefaultOptions()
	o.Seed = fmt.Sprintf("%016x", r.started)
	o.Agent = sdk.AgentInfo{Hostname: "host", Port: 5051}
	r.l = New(o)
	for _, data := range r.stored {
		rec := &Record{}
		if err := wire.Unmarshal(wire.Msgpack, data, rec); err != nil {
			panic(err)
		}
		if err := r.l.Restore(rec); err != nil {
			panic(err)
		}
	}
	total, err := sdk.ParseResources("cpus:4;mem:1024")
	if err != nil {
		panic(err)
	}
	r.l.Step(r.now, Totals{Resources: total})
	lives := map[string]bool{}
	for _, name := range alive {
		lives[r.box[name]] = true
	}
	r.l.Step(r.now, Recovered{BootID: boot, Alive: lives})
	r.held, r.hold = Ready{}, false
}

// take stores what the ledger wants stored, and gives the effects as lines.
func (r *rig) take() string {
	ready := r.l.Ready()
	r.held.Records = append(r.held.Records, ready.Records...)
	r.held.Effects = append(r.held.Effects, ready.Effects...)
	if r.hold {
		return fmt.Sprintf("(waits for the disk: %d records, %d effects)\n", len(r.held.Records), len(r.held.Effects))
	}
	for i := range r.held.Records {
		data, err := wire.Marshal(wire.Msgpack, &r.held.Records[i])
		if err != nil {
			panic(err)
		}
		r.stored = append(r.stored, data)
	}
	var b strings.Builder
	for _, e := range r.held.Effects {
		b.WriteString(r.show(e))
		b.WriteByte('\n')
	}
	r.held = Ready{}
	if b.Len() == 0 {
		return "-\n"
	}
	return b.String()
}

func (r *rig) show(e Effect) string {
	switch e := e.(type) {
	case SendMaster:
		return "to master: " + r.showCall(e.Call)
	case CloseLink:
		return "close link: " + e.Reason
	case SendExecutor:
		return fmt.Sprintf("to executor %d: %s", e.Conn, r.showEvent(e.Event))
	case CloseExecutor:
		if e.Err != nil {
			return fmt.Sprintf("refuse executor %d: %v", e.Conn, e.Err)
		}
		return fmt.Sprintf("close executor %d", e.Conn)
	case StartExecutor:
		r.box[string(e.Info.ExecutorID)] = e.ContainerID
		return fmt.Sprintf("start executor %s of %s default=%v adopts=%v", e.Info.ExecutorID, e.Framework.ID, e.Default, e.Adopts)
	case Prepare:
		r.box[string(e.Task.TaskID)] = e.ContainerID
		return fmt.Sprintf("prepare %s", e.Task.TaskID)
	case Resize:
		return "resize " + r.nameOf(e.ContainerID) + " " + e.Resources.String()
	case Destroy:
		return "destroy " + r.nameOf(e.ContainerID)
	case Retire:
		return "retire: " + e.Message
	case Note:
		return "note " + e.Key + ": " + e.Message
	}
	return fmt.Sprintf("%T", e)
}

func (r *rig) nameOf(container string) string {
	var names []string
	for n, c := range r.box {
		if c == container {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return strings.Join(names, ",")
}

func (r *rig) showCall(c *link.Call) string {
	if err := c.Validate(); err != nil {
		return "INVALID " + err.Error()
	}
	switch c.Type {
	case link.CallUpdate:
		r.uuids[string(c.Update.Status.TaskID)] = c.Update.Status.UUID
		s := showStatus(&c.Update.Status)
		if c.Update.Latest != "" {
			s += " (by now " + string(c.Update.Latest) + ")"
		}
		return "UPDATE " + s
	case link.CallReconciled:
		return "RECONCILED " + showStatus(&c.Reconciled.Status)
	case link.CallExecutorExited:
		return fmt.Sprintf("EXECUTOR_EXITED %s status=%d %s", c.ExecutorExited.ExecutorID, c.ExecutorExited.Status, c.ExecutorExited.Message)
	}
	return string(c.Type)
}

func showStatus(s *sdk.TaskStatus) string {
	out := string(s.TaskID) + " " + string(s.State)
	if s.Reason != "" {
		out += " " + string(s.Reason)
	}
	if s.Source != "" && s.Source != sdk.SourceExecutor {
		out += " " + string(s.Source)
	}
	if s.Message != "" {
		out += " " + strconv.Quote(s.Message)
	}
	return out
}

func (r *rig) showEvent(e *sdk.ExecutorEvent) string {
	switch e.Type {
	case sdk.ExecutorEventLaunch:
		return fmt.Sprintf("LAUNCH %s spec=%v", e.Launch.Task.TaskID, e.Launch.Spec != nil)
	case sdk.ExecutorEventLaunchGroup:
		var ids []string
		for _, t := range e.LaunchGroup.TaskGroup.Tasks {
			ids = append(ids, string(t.TaskID))
		}
		return fmt.Sprintf("LAUNCH_GROUP %s specs=%d", strings.Join(ids, ","), len(e.LaunchGroup.Specs))
	case sdk.ExecutorEventAcknowledged:
		return fmt.Sprintf("ACKNOWLEDGED %s %s", e.Acknowledged.TaskID, strings.TrimRight(string(e.Acknowledged.UUID), "\x00"))
	case sdk.ExecutorEventKill:
		return "KILL " + string(e.Kill.TaskID)
	}
	return string(e.Type)
}

func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		r := newRig()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			defer func() {
				if p := recover(); p != nil {
					t.Fatalf("%s: %v", d.Pos, p)
				}
			}()
			return r.command(t, d)
		})
		if len(r.stored) == 0 {
			t.Fatal("the script stored nothing")
		}
	})
	if entries, err := os.ReadDir("testdata"); err != nil || len(entries) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
}

// A new agent is the same one to the masters until it has an id.
func TestNonceUntilThereIsAnID(t *testing.T) {
	r := newRig()
	r.take()
	first := r.l.Report().Nonce
	r.boot("boot-2", nil)
	r.take()
	r.stored, r.held.Records = nil, r.l.Snapshot()
	r.take()
	r.boot("boot-2", nil)
	r.l.Step(r.now, Opened{Stream: 1})
	if again := r.l.Report().Nonce; first == "" || again != first {
		t.Fatalf("its nonce was %q, and is %q", first, again)
	}
	r.l.Step(r.now, FromMaster{Stream: 1, Event: &link.Event{Version: link.Version, Generation: 1, Term: 1, Type: link.EventRegistered,
		Registered: &link.Registered{AgentID: "agent-1", HeartbeatSeconds: 5}}})
	r.take()
	r.boot("boot-2", nil)
	if rep := r.l.Report(); rep.Agent.ID != "agent-1" || rep.Nonce != "" {
		t.Errorf("agent %s reports the nonce %q", rep.Agent.ID, rep.Nonce)
	}
}

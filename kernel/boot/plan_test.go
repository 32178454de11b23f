package boot

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
)

// The scripts of testdata: what init hears, and what it does about it. Each command has
// at=SECONDS; `records` shows what the store would have, `status` what people are told,
// and `restart` begins anew from the records, as the next leader does.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/plan", func(t *testing.T, path string) {
		s := &script{t: t, p: NewPlan(nil), store: map[string][]byte{}, offers: map[sdk.OfferID]sdk.Offer{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return s.run(d) })
	})
}

type script struct {
	t      *testing.T
	p      *Plan
	now    time.Time
	store  map[string][]byte
	offers map[sdk.OfferID]sdk.Offer
}

func (s *script) run(d *datadriven.TestData) string {
	var at string
	if d.HasArg("at") {
		d.ScanArgs(s.t, "at", &at)
		seconds, err := strconv.ParseFloat(at, 64)
		if err != nil {
			d.Fatalf(s.t, "at: %v", err)
		}
		s.now = time.Unix(1000, 0).Add(time.Duration(seconds * float64(time.Second)))
	}
	switch d.Cmd {
	case "manifest":
		m, err := ParseManifest([]byte(d.Input))
		if err != nil {
			return err.Error()
		}
		return s.did(s.p.Manifest(s.now, m))
	case "subscribed":
		return s.did(s.p.Subscribed(s.now))
	case "tick":
		return s.did(s.p.Tick(s.now))
	case "due":
		due, ok := s.p.Due()
		if !ok {
			return "nothing waits for time"
		}
		return "in " + max(due.Sub(s.now), 0).String()
	case "offers":
		return s.did(s.p.Offers(s.now, s.parseOffers(d.Input)))
	case "update":
		return s.did(s.p.Update(s.now, parseStatus(d.Input)))
	case "restart":
		var all []*Record
		for key, data := range s.store {
			r, err := DecodeRecord(key, data)
			if err != nil {
				d.Fatalf(s.t, "%v", err)
			}
			all = append(all, r)
		}
		m := s.p.manifest
		s.p = NewPlan(all)
		return s.did(s.p.Manifest(s.now, m))
	case "status":
		return s.status()
	}
	d.Fatalf(s.t, "no such command: %s", d.Cmd)
	return ""
}

// parseOffers reads lines of: ID AGENT RESOURCES [role=ROLE].
func (s *script) parseOffers(text string) []sdk.Offer {
	var all []sdk.Offer
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		f := strings.Fields(line)
		r, err := sdk.ParseResources(f[2])
		if err != nil {
			s.t.Fatal(err)
		}
		role := "system"
		if len(f) > 3 {
			role = strings.TrimPrefix(f[3], "role=")
		}
		all = append(all, sdk.Offer{ID: sdk.OfferID(f[0]), AgentID: sdk.AgentID(f[1]), Hostname: "host-" + f[1],
			AllocationInfo: &sdk.AllocationInfo{Role: role}, Resources: r.Allocate(role)})
	}
	return all
}

// parseStatus reads: TASK STATE AGENT [message].
func parseStatus(text string) *sdk.TaskStatus {
	f := strings.SplitN(strings.TrimSpace(text), " ", 4)
	st := &sdk.TaskStatus{TaskID: sdk.TaskID(f[0]), State: sdk.TaskState("TASK_" + f[1]), AgentID: sdk.AgentID(f[2])}
	if len(f) > 3 {
		st.Message = f[3]
	}
	switch status := int32(9); { // as wait(2) has it
	case st.Message == "Command terminated with signal Killed":
		st.WaitStatus = &status
	case strings.HasPrefix(st.Message, "Memory limit exceeded"):
		st.WaitStatus, st.Limitation = &status, &sdk.TaskResourceLimitation{}
	}
	return st
}

// did carries effects out on the script's store and tells them.
func (s *script) did(effects []Effect) string {
	var out strings.Builder
	for _, e := range effects {
		switch e := e.(type) {
		case Store:
			s.store[e.Record.Slot().Key()] = e.Record.Encode()
			fmt.Fprintf(&out, "store %s attempt %d on %s", e.Record.Slot(), e.Record.Attempt, e.Record.AgentID)
			if e.Record.Over {
				fmt.Fprintf(&out, " over (%s), failures %d", e.Record.Why, e.Record.Failures)
			}
			out.WriteByte('\n')
		case Launch:
			for _, t := range e.Tasks {
				fmt.Fprintf(&out, "launch %s on %s by offer %s: %s, label %s=%s\n", t.TaskID, t.AgentID, e.Offer.ID, sdk.Resources(t.Resources), t.Labels.Labels[0].Key, t.Labels.Labels[0].Value)
			}
		case Decline:
			fmt.Fprintf(&out, "decline %s for %s\n", e.Offer.ID, e.Refuse)
		case Kill:
			fmt.Fprintf(&out, "kill %s on %s\n", e.TaskID, e.AgentID)
		case Ask:
			fmt.Fprintf(&out, "ask about %s on %s\n", e.TaskID, e.AgentID)
		case Revive:
			out.WriteString("revive\n")
		case Suppress:
			out.WriteString("suppress\n")
		}
	}
	if out.Len() == 0 {
		return "nothing"
	}
	return out.String()
}

func (s *script) status() string {
	var out strings.Builder
	for _, i := range s.p.Status(s.now, func(needs sdk.Resources) string { return "needs " + needs.String() }) {
		fmt.Fprintf(&out, "%s.%d %s", i.Framework, i.Index, i.State)
		if i.TaskID != "" {
			fmt.Fprintf(&out, " %s on %s by %s, attempts %d", i.TaskID, i.Hostname, i.OfferID, i.Attempts)
		}
		if i.Why != "" {
			out.WriteString(": " + i.Why)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// Whatever is heard in whatever order: a launch is behind its record; while an attempt may
// live no other of its slot is launched, unless its agent is unreachable, and then it is
// killed when that is back; no id is used twice; and in peace all that is wanted runs.
func TestNeverTwoOfOneSlot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, p: NewPlan(nil), store: map[string][]byte{}, tasks: map[sdk.TaskID]*fate{}, now: time.Unix(1000, 0)}
		w.m = &sdk.BootManifest{Frameworks: []sdk.BootFramework{{Name: "a", Principal: "a", Command: "x", Instances: 2, Role: "system", CPUs: 1, Mem: 1}}}
		w.do(w.p.Manifest(w.now, w.m))
		w.do(w.p.Subscribed(w.now))
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			w.random()
		}
		w.peace()
	})
}

// fate is a task as the cluster of the property test has it.
type fate struct {
	agent sdk.AgentID
	state sdk.TaskState // TASK_RUNNING or final
	lost  bool          // its agent is unreachable
	told  bool          // and init has heard so
	said  sdk.TaskState // the last that init has heard of it under this subscription
}

type world struct {
	t      *rapid.T
	p      *Plan
	m      *sdk.BootManifest
	store  map[string][]byte
	tasks  map[sdk.TaskID]*fate
	now    time.Time
	revive bool
	offers int
	drop   bool // launches do not arrive
}

func (w *world) do(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case Store:
			w.store[e.Record.Slot().Key()] = e.Record.Encode()
		case Launch:
			for _, task := range e.Tasks {
				if w.tasks[task.TaskID] != nil {
					w.t.Fatalf("%s is launched twice", task.TaskID)
				}
				if !w.stored(task.TaskID) {
					w.t.Fatalf("%s is launched without a record", task.TaskID)
				}
				w.alone(task.TaskID)
				if !w.drop {
					w.tasks[task.TaskID] = &fate{agent: e.Offer.AgentID, state: sdk.TaskRunning}
				}
			}
		case Kill:
			if f := w.tasks[e.TaskID]; f != nil && !f.lost {
				f.state = sdk.TaskKilled
			}
		case Revive:
			w.revive = true
		case Suppress:
			w.revive = false
		}
	}
}

// alone: another attempt of the slot may live only where init was told that its agent is
// unreachable.
func (w *world) alone(id sdk.TaskID) {
	slot := string(id[:strings.LastIndexByte(string(id), '.')+1])
	for other, f := range w.tasks {
		if strings.HasPrefix(string(other), slot) && f.state == sdk.TaskRunning && !f.told {
			w.t.Fatalf("%s is launched while %s may live", id, other)
		}
	}
}

func (w *world) stored(id sdk.TaskID) bool {
	for key, data := range w.store {
		if r, err := DecodeRecord(key, data); err == nil && r.TaskID == id && !r.Over {
			return true
		}
	}
	return false
}

func (w *world) random() {
	w.now = w.now.Add(time.Duration(rapid.IntRange(0, 20).Draw(w.t, "seconds")) * time.Second)
	switch rapid.SampledFrom([]string{"offer", "offer", "hear", "hear", "crash", "lose", "back", "restart", "tick", "change", "drop"}).Draw(w.t, "what") {
	case "offer":
		w.offer()
	case "hear":
		w.hear()
	case "crash":
		if f := w.pick(func(f *fate) bool { return f.state == sdk.TaskRunning && !f.lost }); f != nil {
			f.state = sdk.TaskFailed
		}
	case "lose":
		if f := w.pick(func(f *fate) bool { return !f.lost }); f != nil {
			f.lost = true
		}
	case "back":
		if f := w.pick(func(f *fate) bool { return f.lost }); f != nil {
			f.lost = false
		}
	case "restart":
		w.restart()
	case "tick":
		w.tick()
	case "drop":
		w.drop = !w.drop
	case "change":
		m := *w.m
		m.Frameworks = []sdk.BootFramework{m.Frameworks[0]}
		m.Frameworks[0].Instances = rapid.Uint32Range(0, 3).Draw(w.t, "instances")
		m.Frameworks[0].Command = rapid.SampledFrom([]string{"x", "y"}).Draw(w.t, "command")
		w.m = &m
		w.do(w.p.Manifest(w.now, w.m))
	}
}

// tick lets time pass as a session does: only when the plan waits for it.
func (w *world) tick() {
	if due, ok := w.p.Due(); ok && !due.After(w.now) {
		w.do(w.p.Tick(w.now))
	}
}

func (w *world) offer() {
	if !w.revive {
		return
	}
	w.offers++
	r := sdk.Resources{sdk.NewScalar("cpus", float64(rapid.IntRange(0, 3).Draw(w.t, "cpus"))), sdk.NewScalar("mem", 10)}
	agent := sdk.AgentID(rapid.SampledFrom([]string{"s1", "s2"}).Draw(w.t, "agent"))
	w.do(w.p.Offers(w.now, []sdk.Offer{{ID: sdk.OfferID(strconv.Itoa(w.offers)), AgentID: agent, Resources: r}}))
}

// hear tells of every task, and answers about every record that the plan may ask about.
func (w *world) hear() {
	for _, id := range w.ids() {
		w.tell(id)
	}
	for key, data := range w.store {
		r, err := DecodeRecord(key, data)
		if err != nil {
			w.t.Fatal(err)
		}
		if w.tasks[r.TaskID] == nil && !r.Over {
			w.do(w.p.Update(w.now, &sdk.TaskStatus{TaskID: r.TaskID, State: sdk.TaskGone}))
		}
	}
}

func (w *world) tell(id sdk.TaskID) {
	f := w.tasks[id]
	state := f.state
	if f.lost && state == sdk.TaskRunning {
		state = sdk.TaskUnreachable
	}
	if (!f.lost || state == sdk.TaskUnreachable) && state != f.said {
		f.said = state
		f.told = state == sdk.TaskUnreachable
		w.do(w.p.Update(w.now, &sdk.TaskStatus{TaskID: id, State: state, AgentID: f.agent}))
	}
}

func (w *world) ids() []sdk.TaskID {
	var all []string
	for id := range w.tasks {
		all = append(all, string(id))
	}
	var out []sdk.TaskID
	slices.Sort(all)
	for _, id := range all {
		out = append(out, sdk.TaskID(id))
	}
	return out
}

func (w *world) pick(fits func(*fate) bool) *fate {
	var all []*fate
	for _, id := range w.ids() {
		if fits(w.tasks[id]) {
			all = append(all, w.tasks[id])
		}
	}
	if len(all) == 0 {
		return nil
	}
	return rapid.SampledFrom(all).Draw(w.t, "task")
}

func (w *world) restart() {
	var all []*Record
	for key, data := range w.store {
		r, err := DecodeRecord(key, data)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, r)
	}
	w.p, w.revive = NewPlan(all), false
	for _, f := range w.tasks {
		f.said = ""
	}
	w.do(w.p.Manifest(w.now, w.m))
	w.do(w.p.Subscribed(w.now))
}

// peace: agents are back, news arrive, offers are large; all that is wanted runs, once.
func (w *world) peace() {
	w.drop = false
	for range 12 {
		w.now = w.now.Add(2 * time.Minute)
		for _, f := range w.tasks {
			f.lost = false
		}
		w.hear()
		w.tick()
		if w.revive {
			w.offers++
			big := sdk.Resources{sdk.NewScalar("cpus", 100), sdk.NewScalar("mem", 100)}
			w.do(w.p.Offers(w.now, []sdk.Offer{{ID: sdk.OfferID(strconv.Itoa(w.offers)), AgentID: "s1", Resources: big}}))
		}
	}
	running := 0
	for _, f := range w.tasks {
		if f.state == sdk.TaskRunning {
			running++
		}
	}
	if want := int(w.m.Frameworks[0].Instances); running != want || w.revive {
		w.t.Fatalf("%d run of %d, offers wanted: %v", running, want, w.revive)
	}
}

func TestTheDefaultManifestIsTheExample(t *testing.T) {
	example, err := os.ReadFile("../../configs/boot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if string(example) != defaultText {
		t.Error("kernel/boot/boot.yaml and configs/boot.yaml differ; one is a copy of the other")
	}
	if _, err := DefaultManifest(); err != nil {
		t.Error(err)
	}
}

func TestManifestsAreReadAndWritten(t *testing.T) {
	text := "frameworks:\n  - {name: a, principal: p, command: run, cpus: 1, mem: 2, instances: 0}\napps:\n  - {id: /x, cmd: 'a\"b', mem: 1.5, labels: {k: v}}\n"
	m, err := ParseManifest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if m.Frameworks[0].Role != "system" || m.Frameworks[0].Instances != 0 || !strings.Contains(m.Apps[0], `"labels":{"k":"v"}`) {
		t.Errorf("%+v", m)
	}
	out, err := FormatManifest(m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseManifest(out)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(m) {
		t.Errorf("%+v, %v from\n%s", again, err, out)
	}
	for bad, part := range map[string]string{
		"frameworks: 1":             "line 1",
		"frmeworks: []":             "frmeworks",
		"apps: []\n---\napps: []":   "more than one",
		"apps: [{cmd: x}]":          "apps[0].id",
		"frameworks: [{name: a/b}]": "frameworks[0].name",
		"frameworks: [{name: a, principal: a, command: x, cpus: 0, mem: 1}]":                 "frameworks[0].cpus",
		"frameworks: [{name: a, principal: a, command: x, cpus: .nan, mem: 1}]":              "frameworks[0].cpus",
		"frameworks: [{name: a, principal: a, command: x, cpus: 1, mem: 2, mem_limit: 1}]":   "frameworks[0].mem_limit",
		"frameworks: [{name: a, principal: a, command: x, cpus: 1, mem: 2, instances: 1e3}]": "",
	} {
		if _, err := ParseManifest([]byte(bad)); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(defaultText))
	f.Add([]byte("apps: [{id: /x}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseManifest(text)
		if err != nil {
			return
		}
		out, err := FormatManifest(m)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseManifest(out); err != nil || fmt.Sprint(again) != fmt.Sprint(m) {
			t.Errorf("%q comes back as %q, %v", text, out, err)
		}
	})
}

func FuzzDecodeRecord(f *testing.F) {
	r := Record{Name: "a", Attempt: 1, TaskID: "a.0.1"}
	f.Add(r.Slot().Key(), r.Encode())
	f.Fuzz(func(t *testing.T, key string, data []byte) {
		r, err := DecodeRecord(key, data)
		if err != nil {
			return
		}
		if again, err := DecodeRecord(key, r.Encode()); err != nil || *again != *r {
			t.Errorf("%q comes back as %+v, %v", data, again, err)
		}
	})
}

package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// BenchmarkLaunch is one task's whole way through the mind: launched in an ACCEPT
// of 10, RUNNING, FINISHED, both acknowledged, its resources offered again.
func BenchmarkLaunch(b *testing.B) {
	w := newWorld()
	for _, line := range []string{"agent a1 cpus:1000;mem:1000000;disk:100000;ports:[31000-32000]", "subscribe f1"} {
		if err := w.do(line); err != nil {
			b.Fatal(err)
		}
	}
	s, a := w.schedulers["f1"], w.agents["a1"]
	r, err := sdk.ParseResources("cpus:0.1;mem:32")
	if err != nil {
		b.Fatal(err)
	}
	refuse := 0.0
	var offer sdk.OfferID
	for id := range w.c.offers {
		offer = id
	}
	step := func(in Input) {
		for _, e := range w.c.Step(w.now, in) {
			if e, ok := e.(ToScheduler); ok && e.Event.Type == sdk.EventOffers {
				offer = e.Event.Offers.Offers[0].ID
			}
		}
	}
	status := func(id sdk.TaskID, state sdk.TaskState, uuid []byte) {
		step(AgentCall{Request: 1, Session: a.session, Call: &link.Call{Version: 1, Type: link.CallUpdate, AgentID: a.id, Update: &link.Update{
			FrameworkID: s.id, Status: sdk.TaskStatus{TaskID: id, State: state, UUID: uuid, Source: sdk.SourceExecutor}}}})
		step(SchedulerCall{Request: 1, Session: s.session, Call: &sdk.Call{Type: sdk.CallAcknowledge, FrameworkID: s.id,
			Acknowledge: &sdk.Acknowledge{AgentID: a.id, TaskID: id, UUID: uuid}}})
	}
	b.ReportAllocs()
	uuid := []byte("0123456789abcdef")
	for n := 0; n < b.N; n += 10 {
		infos := make([]sdk.TaskInfo, 10)
		for i := range infos {
			id := sdk.TaskID(fmt.Sprintf("t%d", n+i))
			infos[i] = sdk.TaskInfo{Name: "x", TaskID: id, AgentID: a.id, Resources: r, Command: &sdk.CommandInfo{Value: "x"}}
		}
		step(SchedulerCall{Request: 1, Session: s.session, Call: &sdk.Call{Type: sdk.CallAccept, FrameworkID: s.id, Accept: &sdk.Accept{
			OfferIDs: []sdk.OfferID{offer}, Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: infos}}},
			Filters: &sdk.Filters{RefuseSeconds: &refuse}}}})
		for i := range infos {
			status(infos[i].TaskID, sdk.TaskRunning, uuid)
			status(infos[i].TaskID, sdk.TaskFinished, uuid)
		}
		w.now = w.now.Add(time.Millisecond)
		step(Tick{})
	}
	if len(w.c.frameworks[s.id].tasks) != 0 {
		b.Fatalf("%d tasks are left", len(w.c.frameworks[s.id].tasks))
	}
}

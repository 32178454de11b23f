package master

import (
	"fmt"
	"strings"
	"testing"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// TestLargeLaunchesComeInSeveral: tasks with files inside of them that are launched together
// reach the agent as events that it takes: 40 tasks of 700 KB were one of 28 MB, at which
// the agent's stream would end again and again. Twelve show it as well; forty are copied
// for so long under the race detector that a busy machine does not answer in time.
func TestLargeLaunchesComeInSeveral(t *testing.T) {
	r := start(t, true)
	n := newNursery(r)
	offer := n.stream.nextOf(sdk.EventOffers).Offers.Offers[0]
	need, err := sdk.ParseResources("cpus:0.1;mem:8")
	if err != nil {
		t.Fatal(err)
	}
	var tasks []sdk.TaskInfo
	for i := range 12 {
		tasks = append(tasks, sdk.TaskInfo{Name: "x", TaskID: sdk.TaskID(fmt.Sprint("t", i)), AgentID: n.agent.id, Resources: need,
			Command: &sdk.CommandInfo{Value: "exit 0", URIs: []sdk.URI{{Value: "data:;base64," + strings.Repeat("A", 700_000), OutputFile: "x"}}}})
	}
	body := r.encode(&sdk.Call{Type: sdk.CallAccept, FrameworkID: n.id, Accept: &sdk.Accept{OfferIDs: []sdk.OfferID{offer.ID},
		Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: tasks}}}}})
	h := jsonHeader("Authorization", "Bearer "+r.operatorToken(), "Mesos-Stream-Id", n.stream.resp.Header.Get("Mesos-Stream-Id"))
	h.Set("Content-Type", "application/x-msgpack")
	if resp, text := r.do("POST", "/api/v1/scheduler", h, string(body)); resp.StatusCode != 202 {
		t.Fatalf("ACCEPT: %d %q", resp.StatusCode, text)
	}
	for got := 0; got < len(tasks); {
		ev := n.agent.nextLink()
		if ev.Type != link.EventRun || ev.Term == 0 || ev.Generation == 0 || ev.Run.Framework.ID != n.id {
			t.Fatalf("agent got %+v", ev)
		}
		size := 0
		for i := range ev.Run.Tasks {
			if want := tasks[got].TaskID; ev.Run.Tasks[i].TaskID != want {
				t.Fatalf("%s comes where %s was to", ev.Run.Tasks[i].TaskID, want)
			}
			size += len(ev.Run.Tasks[i].Command.URIs[0].Value)
			got++
		}
		if size > 4<<20 {
			t.Errorf("%d tasks of %d bytes come in one event", len(ev.Run.Tasks), size)
		}
	}
}

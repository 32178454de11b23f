package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/gateway"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// The fleet is what the API reads.
var _ View = (*fleet.Fleet)(nil)

// hall is a Backend around a real fleet, whose store takes everything at once and whose
// kernel is one agent, which does not answer before serve.
type hall struct {
	mu     sync.RWMutex
	f      *fleet.Fleet
	now    time.Time
	serial uint64
	events []string
	tasks  []sdk.TaskInfo // launched and not told of yet
	out    mind.Reply[fleet.Outcome]
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{now: time.Date(2021, 7, 27, 10, 0, 0, 0, time.UTC)}
	f, err := fleet.Load(h.now, fleet.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.f = f
	h.step(mind.Subscribed{FrameworkID: "f", Master: "m"})
	return h
}

// step performs what the fleet asks for, as the shell does.
func (h *hall) step(inputs ...mind.Input) {
	for len(inputs) > 0 {
		h.now = h.now.Add(time.Millisecond)
		effects := h.f.Step(h.now, inputs...)
		inputs = nil
		for _, e := range effects {
			switch e := e.(type) {
			case mind.Commit:
				inputs = append(inputs, mind.Persisted{Txn: e.Txn})
			case mind.Accept:
				h.tasks = append(h.tasks, e.Tasks...)
			case mind.Reply[fleet.Outcome]:
				h.out = e
			case fleet.Publish:
				h.events = append(h.events, event.New(h.now, e.Body).Type)
			}
		}
	}
}

// serve offers the agent, and lets what is launched on it run.
func (h *hall) serve() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.serial++
	amount := func(name string, x float64) sdk.Resource {
		return sdk.Resource{Name: name, Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: x}, AllocationInfo: &sdk.AllocationInfo{Role: "*"}}
	}
	ports := sdk.Resource{Name: "ports", Type: sdk.ValueRanges, Ranges: &sdk.Ranges{Range: []sdk.Range{{Begin: 31000, End: 32000}}}, AllocationInfo: &sdk.AllocationInfo{Role: "*"}}
	h.step(mind.Offers{Offers: []sdk.Offer{{ID: sdk.OfferID(fmt.Sprintf("o%d", h.serial)), FrameworkID: "f", AgentID: "a1", Hostname: "h1", AllocationInfo: &sdk.AllocationInfo{Role: "*"},
		Resources: []sdk.Resource{amount("cpus", 8), amount("mem", 8192), amount("disk", 8192), ports}}}})
	tasks := h.tasks
	h.tasks = nil
	for n, task := range tasks {
		h.step(mind.Update{Status: sdk.TaskStatus{TaskID: task.TaskID, AgentID: "a1", State: sdk.TaskRunning, UUID: []byte(fmt.Sprintf("%016d", n))}})
	}
}

func (h *hall) Read(do func(View)) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	do(h.f)
}

func (h *hall) Change(_ context.Context, c fleet.Change) (fleet.Outcome, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.serial++
	h.out = mind.Reply[fleet.Outcome]{}
	h.step(mind.Request[fleet.Change]{ID: h.serial, Change: c})
	switch {
	case h.out.ID != h.serial:
		return fleet.Outcome{}, context.DeadlineExceeded
	case h.out.Refusal != nil:
		return fleet.Outcome{}, h.out.Refusal
	}
	return h.out.Outcome, nil
}

func (h *hall) Subscribe(uint64) (<-chan event.Event, func()) { return nil, func() {} }
func (h *hall) Info() Info                                    { return Info{Elected: true} }

// TestStoryWithTheRealFleet: the shapes that depend on what the fleet answers.
func TestStoryWithTheRealFleet(t *testing.T) {
	h := newHall(t)
	handler := New(h, DefaultOptions(), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(gateway.WithCaller(r.Context(), gateway.Caller{Operator: true})))
		})
	})
	for n, c := range []struct {
		request, body string
		status        int
		has, hasNot   string // of the answer
		serve         bool   // the agent, before the request
	}{
		{"POST /v2/apps", `{"id":"web","cmd":"x","instances":2,"cpus":1}`, 201, `"deployments":[{"id":"`, "", false},
		{"POST /v2/apps", `{"id":"web","cmd":"x"}`, 409, "already exists", "deployments", false},
		{"PUT /v2/apps/web", `{"cmd":"y"}`, 409, `"deployments":[{"id":"`, "", false},
		{"GET /v2/deployments", "", 200, `"action":"ScaleApplication","app":"/web"`, "why", false},
		{"GET /v2/queue", "", 200, `"count":2`, `"why"`, false},
		{"GET /v2/queue?embed=why", "", 200, `"why"`, "", false},
		{"GET /v2/apps/web", "", 200, `"port":10000`, "instanceIndex", false},
		{"GET /v2/apps/web?embed=instanceIndex", "", 200, `"tasksRunning":2`, "", true},
		{"GET /v2/deployments", "", 200, `[]`, "id", false},
		{"GET /v2/tasks?embed=instanceIndex", "", 200, `"instanceIndex":1`, "", false},
		{"PUT /v2/apps/web", `{"cmd":"x"}`, 200, `"deploymentId":"`, `"deploymentId":""`, false},
		{"GET /v2/apps/web/versions", "", 200, `versions`, `,`, false}, // the same definition has no new version
		{"PUT /v2/apps/web", `{"instances":3}`, 200, `"deploymentId":"`, "", false},
		{"GET /v2/apps/web", "", 200, `"tasksRunning":3`, "", true},
		{"GET /v2/apps/web/versions", "", 200, `,`, "", false},
		{"PUT /v2/apps/other", `{"cmd":"x","cpus":12345}`, 201, `"deploymentId":"`, "", false},
		{"GET /v2/queue", "", 200, `"reason":"InsufficientCpus","declined":1`, "", true},
		{"GET /v2/apps?id=other&embed=apps.why", "", 200, `"why":["`, "", false},
		{"DELETE /v2/apps/web/tasks?scale=true", "", 200, `"deploymentId":"`, "", false},
		{"DELETE /v2/deployments/unknown", "", 404, "does not exist", "", false},
		{"DELETE /v2/queue/other/delay", "", 204, "", "", false},
		{"POST /v2/apps/other/restart?force=true", "", 200, `"deploymentId":"`, "", false},
		{"DELETE /v2/apps/other", "", 200, `"deploymentId":"`, "", false},
		{"GET /v2/apps/other", "", 404, "App '/other' does not exist", "", false},
		{"POST /v2/tasks/delete", `{"ids":["web.nobody"]}`, 200, `{"tasks":[]}`, "", false},
	} {
		if c.serve {
			h.serve()
		}
		method, target, _ := strings.Cut(c.request, " ")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(c.body)))
		if got := w.Body.String(); w.Code != c.status || !strings.Contains(got, c.has) || c.hasNot != "" && strings.Contains(got, c.hasNot) {
			t.Fatalf("%d. %s: %d, wanted %d with %q and without %q\n%s", n, c.request, w.Code, c.status, c.has, c.hasNot, got)
		}
	}
	for _, kind := range []string{"api_post_event", "group_change_success", "deployment_info", "status_update_event", "deployment_step_success", "deployment_success"} {
		if !strings.Contains(strings.Join(h.events, " "), kind) {
			t.Errorf("no %s in the story: %v", kind, h.events)
		}
	}
}

package master

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// BenchmarkLaunch takes tasks through their whole way (offer, launch, running,
// acknowledged, finished, acknowledged), as many in a body as the size says. The
// CPU time is that of the master and of both doubles.
func BenchmarkLaunch(b *testing.B) {
	for _, size := range []int{1, 16} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			t := &testing.T{}
			r := benchMaster(b, t)
			l := newLauncher(b, r, size)
			l.round(b) // warm up
			before := cpuTime()
			b.ResetTimer()
			for b.Loop() {
				l.round(b)
			}
			b.StopTimer()
			tasks := float64(b.N * size)
			b.ReportMetric(float64((cpuTime()-before).Microseconds())/tasks, "cpu-µs/task")
			b.ReportMetric(tasks/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchMaster(b *testing.B, t *testing.T) *running {
	b.Helper()
	m, err := New(LocalOptions(filepath.Join(b.TempDir(), "m")))
	if err != nil {
		b.Fatal(err)
	}
	ctx, over := b.Context(), make(chan error, 1)
	go func() { over <- m.Run(ctx) }()
	r := &running{Master: m, t: t}
	r.await(func() bool { return m.leader() != nil }, "a leader")
	return r
}

// launcher is a framework and an agent that keep the master busy.
type launcher struct {
	r      *running
	agent  *agentDouble
	stream *opened
	id     sdk.FrameworkID
	need   sdk.Resources
	header http.Header
	size   int
	n      int
	offers []sdk.Offer
	client *http.Client
}

func newLauncher(b *testing.B, r *running, size int) *launcher {
	b.Helper()
	l := &launcher{r: r, size: size, client: &http.Client{}}
	l.agent = r.registerAgent("host1", "cpus:1000;mem:1000000")
	own := func() http.Header {
		return http.Header{"Content-Type": {wire.ContentTypeMsgpack}, "Accept": {wire.ContentTypeMsgpack}}
	}
	l.stream = r.open("/api/v1/scheduler", own(), r.encode(&sdk.Call{Type: sdk.CallSubscribe, Subscribe: &sdk.Subscribe{
		FrameworkInfo: sdk.FrameworkInfo{User: "nobody", Name: "bench", FailoverTimeout: 60}}}))
	l.id = l.stream.next().Subscribed.FrameworkID
	l.need, _ = sdk.ParseResources("cpus:0.01;mem:1")
	l.header = own()
	l.header.Set("Mesos-Stream-Id", l.stream.resp.Header.Get("Mesos-Stream-Id"))
	return l
}

func (l *launcher) post(b *testing.B, path string, h http.Header, bodies ...[]byte) {
	b.Helper()
	h = h.Clone()
	body := bodies[0]
	if len(bodies) > 1 {
		body = nil
		for _, one := range bodies {
			body = wire.AppendRecord(body, one)
		}
		h.Set("Content-Type", wire.ContentTypeRecordIO)
		h.Set(wire.HeaderMessageContentType, wire.ContentTypeMsgpack)
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+l.r.Addr()+path, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header = h
	resp, err := l.client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		b.Fatalf("%s answered %d", path, resp.StatusCode)
	}
}

// next is the next event of the scheduler; offers are kept.
func (l *launcher) update(b *testing.B) *sdk.TaskStatus {
	for {
		switch ev := l.stream.next(); ev.Type {
		case sdk.EventOffers:
			l.offers = append(l.offers, ev.Offers.Offers...)
		case sdk.EventUpdate:
			return &ev.Update.Status
		case sdk.EventError:
			b.Fatal(ev.Error.Message)
		}
	}
}

func (l *launcher) round(b *testing.B) {
	for len(l.offers) == 0 {
		if ev := l.stream.next(); ev.Type == sdk.EventOffers {
			l.offers = append(l.offers, ev.Offers.Offers...)
		}
	}
	offers := l.offers
	l.offers = nil
	var tasks []sdk.TaskInfo
	for range l.size {
		l.n++
		id := sdk.TaskID(fmt.Sprintf("task-%d", l.n))
		tasks = append(tasks, sdk.TaskInfo{Name: string(id), TaskID: id, AgentID: l.agent.id, Resources: l.need, Command: &sdk.CommandInfo{Value: "exit 0"}})
	}
	var ids []sdk.OfferID
	for _, o := range offers {
		ids = append(ids, o.ID)
	}
	zero := 0.0
	l.post(b, "/api/v1/scheduler", l.header, l.r.encode(&sdk.Call{Type: sdk.CallAccept, FrameworkID: l.id, Accept: &sdk.Accept{
		OfferIDs: ids, Filters: &sdk.Filters{RefuseSeconds: &zero}, Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: tasks}}}}}))
	for got := 0; got < l.size; {
		if ev := l.agent.nextLink(); ev.Type == link.EventRun {
			got += len(ev.Run.Tasks)
		}
	}
	for _, state := range []sdk.TaskState{sdk.TaskRunning, sdk.TaskFinished} {
		var updates, acks [][]byte
		for i := range tasks {
			u := uuid.New()
			updates = append(updates, l.r.encode(&link.Call{Version: link.Version, Type: link.CallUpdate, AgentID: l.agent.id, Update: &link.Update{
				FrameworkID: l.id, Status: sdk.TaskStatus{TaskID: tasks[i].TaskID, State: state, AgentID: l.agent.id, UUID: u[:], Source: sdk.SourceExecutor, Timestamp: 1}}}))
		}
		h := l.header.Clone()
		h.Set(link.SessionHeader, l.agent.resp.Header.Get(link.SessionHeader))
		l.post(b, link.Path, h, updates...)
		for range tasks {
			s := l.update(b)
			acks = append(acks, l.r.encode(&sdk.Call{Type: sdk.CallAcknowledge, FrameworkID: l.id, Acknowledge: &sdk.Acknowledge{AgentID: l.agent.id, TaskID: s.TaskID, UUID: s.UUID}}))
		}
		l.post(b, "/api/v1/scheduler", l.header, acks...)
		for got := 0; got < l.size; {
			if l.agent.nextLink().Type == link.EventAcknowledge {
				got++
			}
		}
	}
}

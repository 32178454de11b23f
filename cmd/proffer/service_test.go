package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/marathonish/launch"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/wire"
)

// fakeMarathon answers as a script says. The kernel's operator API beside it knows the
// tasks that it is given.
type fakeMarathon struct {
	who     string // chronosish where it stands for that
	mu      sync.Mutex
	answers map[string][]answer // by method and path; the last one stays
	sent    []string            // changes, with their bodies
	tasks   sdk.GetTasks
	logs    map[string]string
}

type answer struct {
	status int
	body   string
	after  time.Duration // of a stream: until its body comes; it stays open then
}

func (f *fakeMarathon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ours := strings.CutPrefix(r.URL.Path, gateway+f.who)
	switch {
	case r.URL.Path == "/api/v1":
		f.operator(w, r)
		return
	case !ours:
		http.NotFound(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	key := r.Method + " " + path
	f.mu.Lock()
	if r.Method != http.MethodGet {
		f.sent = append(f.sent, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, strings.TrimPrefix(r.URL.RequestURI(), gateway+f.who), body)))
	}
	list := f.answers[key]
	if len(list) > 1 {
		f.answers[key] = list[1:]
	}
	f.mu.Unlock()
	if len(list) == 0 {
		http.Error(w, `{"message":"the script has no answer to `+key+`"}`, http.StatusNotFound)
		return
	}
	a := list[0]
	w.WriteHeader(a.status)
	if a.after > 0 {
		w.(http.Flusher).Flush()
		select {
		case <-time.After(a.after):
		case <-r.Context().Done():
			return
		}
		_, _ = io.WriteString(w, a.body)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return
	}
	_, _ = io.WriteString(w, a.body)
}

func (f *fakeMarathon) operator(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var call sdk.OperatorCall
	if err := wire.Unmarshal(wire.Msgpack, body, &call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	tasks := f.tasks
	answer := &sdk.OperatorResponse{Type: sdk.OperatorResponseType(call.Type), GetTasks: &tasks, GetFrameworks: frameworksOf(f.who),
		GetAgents: &sdk.GetAgents{Agents: []sdk.AgentState{{AgentInfo: sdk.AgentInfo{ID: "a1", Hostname: "h1"}, PID: "slave(1)@a1:5051"}}}}
	data, err := wire.Marshal(wire.Msgpack, answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", wire.Msgpack.ContentType())
	_, _ = w.Write(data)
}

// frameworksOf are a framework that has another principal, one without tasks, and f1.
func frameworksOf(who string) *sdk.GetFrameworks {
	of := func(id sdk.FrameworkID, principal string) sdk.FrameworkState {
		return sdk.FrameworkState{FrameworkInfo: sdk.FrameworkInfo{ID: id, User: "u", Name: who, Principal: principal}}
	}
	return &sdk.GetFrameworks{Frameworks: []sdk.FrameworkState{of("f0", "other"), of("f2", who)}, CompletedFrameworks: []sdk.FrameworkState{of("f1", who)}}
}

// agent serves the logs of tasks; a follower waits after them until it goes.
func (f *fakeMarathon) agent(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	text, ok := f.logs[r.URL.Query().Get("task_id")]
	f.mu.Unlock()
	if !ok || r.URL.Query().Get("framework_id") != "f1" {
		http.NotFound(w, r)
		return
	}
	_, _ = io.WriteString(w, text)
}

// serve makes a client of the fake, and what it prints.
func (f *fakeMarathon) serve() (c *client, out, talk *bytes.Buffer) {
	net := &sdktest.Memory{}
	net.Serve("m:5050", f)
	net.Serve("a1:5051", http.HandlerFunc(f.agent))
	out, talk = &bytes.Buffer{}, &bytes.Buffer{}
	return &client{io: stdio{strings.NewReader(""), out, talk}, transport: net}, out, talk
}

// TestServiceScripts runs `proffer service …` against scripted answers in Marathon's shapes.
func TestServiceScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/service", func(t *testing.T, path string) {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeMarathon{who: "marathonish", answers: map[string][]answer{}}
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				return f.step(t, d)
			})
		})
	})
}

// step is one directive: answer METHOD PATH (the body is the input), then for the answer after
// the last one has been given, task ID (what it wrote is the input), forget,
// or run (the input is the command line, what is after the first line its input).
func (f *fakeMarathon) step(t *testing.T, d *datadriven.TestData) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch d.Cmd {
	case "forget":
		f.answers, f.sent = map[string][]answer{}, nil
		return ""
	case "answer", "then":
		a := answer{status: 200, body: d.Input}
		if d.HasArg("status") {
			d.ScanArgs(t, "status", &a.status)
		}
		if d.HasArg("after") {
			var text string
			d.ScanArgs(t, "after", &text)
			var err error
			if a.after, err = time.ParseDuration(text); err != nil {
				t.Fatal(err)
			}
			a.body = strings.ReplaceAll(d.Input, "\n", "\r\n") + "\r\n\r\n"
		}
		key := d.CmdArgs[0].Key + " " + d.CmdArgs[1].Key
		if d.Cmd == "answer" {
			f.answers[key] = nil
		}
		f.answers[key] = append(f.answers[key], a)
		return ""
	case "task":
		var index string
		d.ScanArgs(t, "index", &index)
		task := sdk.Task{Name: "x", TaskID: sdk.TaskID(d.CmdArgs[0].Key), FrameworkID: "f1", AgentID: "a1", State: sdk.TaskRunning,
			Labels: &sdk.Labels{Labels: []sdk.Label{{Key: launch.IndexLabel, Value: index}}}}
		if d.HasArg("ended") {
			task.State = sdk.TaskFailed
			f.tasks.CompletedTasks = append(f.tasks.CompletedTasks, task)
		} else {
			f.tasks.Tasks = append(f.tasks.Tasks, task)
		}
		if f.logs == nil {
			f.logs = map[string]string{}
		}
		f.logs[string(task.TaskID)] = d.Input
		return ""
	case "run":
		f.mu.Unlock()
		defer f.mu.Lock()
		return f.run(t, d)
	}
	t.Fatalf("%s: no directive is called %s", d.Pos, d.Cmd)
	return ""
}

func (f *fakeMarathon) run(t *testing.T, d *datadriven.TestData) string {
	line, input, _ := strings.Cut(d.Input, "\n")
	c, out, talk := f.serve()
	c.io.in = strings.NewReader(input)
	ctx, cancel := context.WithCancel(t.Context())
	if d.HasArg("interrupt") {
		var text string
		d.ScanArgs(t, "interrupt", &text)
		after, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		stop := time.AfterFunc(after, cancel)
		defer stop.Stop()
	}
	defer cancel()
	begin := time.Now()
	code := execute(ctx, append(strings.Fields(line), "--addr", "m:5050", "--token", "secret", "--up-dir", t.TempDir()), c)
	var b strings.Builder
	b.WriteString(out.String())
	if d.HasArg("sorted") { // several write at the same time
		lines := slices.Sorted(strings.Lines(out.String()))
		b.Reset()
		b.WriteString(strings.Join(lines, ""))
	}
	for line := range strings.Lines(talk.String()) {
		b.WriteString("! " + strings.TrimSuffix(line, "\n") + "\n")
	}
	for _, s := range f.sent {
		b.WriteString("> " + s + "\n")
	}
	f.sent = nil
	fmt.Fprintf(&b, "exit code %d after %s\n", code, time.Since(begin))
	cancel()
	synctest.Wait()
	return b.String()
}

package e2e

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
)

// stream is a framework that launches tasks steadily, as a user's would, and remembers
// what it was told of each.
type stream struct {
	t   *testing.T
	c   *cluster
	f   *framework.Framework
	ctx context.Context
	end context.CancelFunc
	fin chan error

	mu       sync.Mutex
	want     []sdk.TaskInfo // not launched yet
	launched map[sdk.TaskID]sdk.TaskInfo
	states   map[sdk.TaskID][]sdk.TaskStatus
	offers   int
}

// startStream subscribes the framework.
func startStream(t *testing.T, c *cluster, name string) *stream {
	t.Helper()
	o := framework.DefaultOptions(name)
	o.Addrs, o.Token = []string{c.addr()}, c.token()
	f, err := framework.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{t: t, c: c, f: f, fin: make(chan error, 1), launched: map[sdk.TaskID]sdk.TaskInfo{}, states: map[sdk.TaskID][]sdk.TaskStatus{}}
	s.ctx, s.end = context.WithCancel(context.Background())
	go func() {
		s.fin <- f.Run(s.ctx, framework.Handlers{
			Offers: func(_ context.Context, offers []sdk.Offer) error { return s.use(offers) },
			Update: func(_ context.Context, st sdk.TaskStatus) error { s.told(st); return nil },
		}.Handle)
	}()
	t.Cleanup(func() {
		s.end()
		if err := <-s.fin; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the framework ended: %v", err)
		}
	})
	return s
}

// add asks for one more task of the shell script.
func (s *stream) add(id, script string, cpus, mem float64) sdk.TaskID {
	return s.addTask(sdk.TaskInfo{Name: id, TaskID: sdk.TaskID(id), Command: &sdk.CommandInfo{Value: script},
		Resources: []sdk.Resource{scalar("cpus", cpus), scalar("mem", mem)}})
}

func (s *stream) addTask(task sdk.TaskInfo) sdk.TaskID {
	s.mu.Lock()
	s.want = append(s.want, task)
	s.mu.Unlock()
	_ = s.f.Revive()
	return task.TaskID
}

func scalar(name string, v float64) sdk.Resource {
	return sdk.Resource{Name: name, Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: v}}
}

// use launches what fits and gives the rest back for a moment.
func (s *stream) use(offers []sdk.Offer) error {
	for _, o := range offers {
		s.mu.Lock()
		s.offers++
		left := sdk.Resources(o.Resources)
		var tasks []sdk.TaskInfo
		for len(s.want) > 0 && left.Scalar("cpus") >= sdk.Resources(s.want[0].Resources).Scalar("cpus") && left.Scalar("mem") >= sdk.Resources(s.want[0].Resources).Scalar("mem") {
			task := s.want[0]
			s.want = s.want[1:]
			for _, r := range task.Resources {
				for i := range left {
					if left[i].Name == r.Name && left[i].Scalar != nil {
						left[i].Scalar = &sdk.Scalar{Value: left[i].Scalar.Value - r.Scalar.Value}
					}
				}
			}
			task.AgentID = o.AgentID
			tasks = append(tasks, task)
			s.launched[task.TaskID] = task
		}
		s.mu.Unlock()
		var err error
		if len(tasks) > 0 {
			err = s.f.Launch(o, tasks...)
		} else {
			err = s.f.Decline(time.Second, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) told(st sdk.TaskStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if all := s.states[st.TaskID]; st.Reason == sdk.ReasonReconciliation && len(all) > 0 && (ended(all[len(all)-1].State) || all[len(all)-1].State == st.State) {
		return // an answer that says nothing new
	}
	s.states[st.TaskID] = append(s.states[st.TaskID], st)
}

// last is the newest status of a task.
func (s *stream) last(id sdk.TaskID) sdk.TaskStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.states[id]
	if len(all) == 0 {
		return sdk.TaskStatus{}
	}
	return all[len(all)-1]
}

// all are the statuses of a task, the oldest first.
func (s *stream) all(id sdk.TaskID) []sdk.TaskStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.states[id])
}

// wait waits until the task is in a state that ok accepts.
func (s *stream) wait(id sdk.TaskID, bound time.Duration, ok func(sdk.TaskState) bool) sdk.TaskStatus {
	s.t.Helper()
	eventually(s.t, bound, "task "+string(id)+" gets where it should", func() bool { return ok(s.last(id).State) })
	return s.last(id)
}

func running(s sdk.TaskState) bool { return s == sdk.TaskRunning }

func ended(s sdk.TaskState) bool {
	switch s {
	case sdk.TaskFinished, sdk.TaskFailed, sdk.TaskKilled, sdk.TaskError, sdk.TaskLost, sdk.TaskDropped, sdk.TaskGone, sdk.TaskGoneByOperator, sdk.TaskUnknown:
		return true // TASK_UNKNOWN is the answer about a launch that never arrived anywhere
	}
	return false
}

// exited gives the exit code that a status tells, or -1.
func exited(s sdk.TaskStatus) int {
	if s.WaitStatus == nil || *s.WaitStatus&0x7f != 0 {
		return -1
	}
	return int(*s.WaitStatus>>8) & 0xff
}

// truthOf is what the task itself has written, line by line.
func (c *cluster) truthOf(t *testing.T, id string) []string {
	t.Helper()
	return strings.Split(strings.TrimSuffix(read(t, filepath.Join(c.truth, id)), "\n"), "\n")
}

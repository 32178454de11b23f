package agent

import (
	"strings"
	"testing"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// TestChangedMachine: an agent that is started again with more resources and other
// attributes takes them over, keeps its id and its tasks, and runs what has room now.
func TestChangedMachine(t *testing.T) {
	m := newMachine(t, func(o *Options) { o.NoCgroups, o.Resources, o.Attributes = true, "cpus:1;mem:256", "rack:r1" })
	m.leader.run(shell("a", "sleep 1000", "cpus:1;mem:64"))
	pid := m.leader.state("a", sdk.TaskRunning).ContainerStatus.ExecutorPID
	m.o.Resources, m.o.Attributes = "cpus:3;mem:512", "rack:r2;level:7"
	m.restart()
	m.leader.registered(2)
	var r *link.Register
	m.leader.until("the second registration", func() bool { r = m.leader.register[1]; return true })
	if got := sdk.Resources(r.Agent.Resources).String(); r.Agent.ID != "agent-1" || got != "cpus:3;mem:512" || !strings.HasPrefix(sdk.FormatAttributes(r.Agent.Attributes), "rack:r2;level:7;") {
		t.Errorf("agent %s has %s and %s", r.Agent.ID, got, sdk.FormatAttributes(r.Agent.Attributes))
	}
	if len(r.Tasks) != 1 || r.Tasks[0].State != sdk.TaskRunning {
		t.Errorf("tasks %+v", r.Tasks)
	}
	m.leader.run(shell("b", "true", "cpus:2;mem:64"))
	m.leader.state("b", sdk.TaskFinished)
	m.leader.kill("a")
	if s := m.leader.state("a", sdk.TaskKilled); s.ContainerStatus.ExecutorPID != pid {
		t.Errorf("a was %d and is %d", pid, s.ContainerStatus.ExecutorPID)
	}
	// Less than what runs: nothing is killed for that, and no more is taken.
	m.leader.run(shell("c", "sleep 1000", "cpus:3;mem:64"))
	m.leader.state("c", sdk.TaskRunning)
	m.o.Resources = "cpus:1;mem:512"
	m.restart()
	m.leader.registered(3)
	m.leader.run(shell("d", "true", "cpus:0.1;mem:16"))
	if s := m.leader.state("d", sdk.TaskDropped); s.Reason != sdk.ReasonResourcesUnknown {
		t.Errorf("d: %+v", s)
	}
	if got := m.leader.history("c"); got != "TASK_RUNNING" {
		t.Errorf("c went through %s", got)
	}
}

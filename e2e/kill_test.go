package e2e

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

// The kill stories: how far apart each victim's deaths are.
const (
	killPause   = 1500 * time.Millisecond
	outputLines = 400_000 // of each task that writes, at the full speed of a shell: for more than a round
)

// kills is how often each victim dies.
func kills() int {
	if os.Getenv("PROFFER_SOAK") != "" {
		return 20
	}
	return 10
}

// writer writes numbered lines at full speed, beyond the kill of its round.
func writer() string {
	return fmt.Sprintf("i=0; while [ $i -lt %d ]; do i=$((i+1)); echo $i; done; exit 7", outputLines)
}

// TestKill is promise P9 and its neighbours: under a steady stream of tasks one process of
// Proffer is killed again and again. Whatever still runs keeps pid and start time, an exit code
// of 7 is told as 7, no output byte is lost, no task runs twice, nothing is left over.
func TestKill(t *testing.T) {
	needCgroups(t)
	victims := map[string][]string{
		"agent":                 {" agent --dir"},
		"master":                {" master --dir"},
		"launcher":              {"proffer-executor launcher"},
		"executor":              {"proffer-executor executor"},
		"executor and launcher": {"proffer-executor executor", "proffer-executor launcher"},
	}
	for _, name := range []string{"agent", "master", "launcher", "executor", "executor and launcher"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PROFFER_AGENT_LOG_BYTES", strconv.Itoa(1<<30))
			k := &killStory{t: t, c: startCluster(t, "--resources", "cpus:64;mem:32768"), victims: victims[name]}
			k.play()
		})
	}
}

// killStory is one victim's story.
type killStory struct {
	t       *testing.T
	c       *cluster
	s       *stream
	victims []string
	steady  []sdk.TaskID // live all through it
	writers []sdk.TaskID
	sevens  []sdk.TaskID
}

func (k *killStory) play() {
	k.s = startStream(k.t, k.c, "stream")
	for i := range 5 {
		k.steady = append(k.steady, k.add(fmt.Sprintf("steady-%d", i), "exec sleep 1000"))
	}
	for _, id := range k.steady {
		k.s.wait(id, 20*time.Second, running)
		eventually(k.t, 10*time.Second, string(id)+" writes its pid", func() bool { return k.identity(id) != "?" })
	}
	before := k.identities()
	for round := range kills() {
		k.launchRound(round)
		k.killOnce()
	}
	k.launchRound(kills())
	k.settle()
	for id, was := range before {
		if now := k.identity(id); now != was {
			k.t.Errorf("%s was process %s and is %s", id, was, now)
		}
	}
	k.checkEnds()
	k.checkOutput()
}

// script makes a task append its pid to its own file of truth, and then do what it is for:
// a second line would be a second run.
func (k *killStory) script(id, then string) string {
	return "echo $$ >> " + filepath.Join(k.c.truth, id) + "; " + then
}

// launchRound is the stream between two kills: a task that writes, and one after the
// other that end with 7, at once, later in the round, and after the kill.
func (k *killStory) launchRound(round int) {
	const each = 5
	tick := time.NewTicker(killPause / each)
	defer tick.Stop()
	for i := range each {
		<-tick.C
		id := fmt.Sprintf("seven-%d-%d", round, i)
		k.sevens = append(k.sevens, k.add(id, fmt.Sprintf("sleep %g; exit 7", float64(i)*0.4)))
		if i == 1 {
			id := fmt.Sprintf("writer-%d", round)
			k.writers = append(k.writers, k.add(id, writer()))
		}
	}
}

func (k *killStory) add(id, then string) sdk.TaskID {
	return k.s.add(id, k.script(id, then), 0.1, 32)
}

// killOnce kills every victim of its kind that lives now, beside a task that is writing.
func (k *killStory) killOnce() {
	k.t.Helper()
	eventually(k.t, 20*time.Second, "a task writes while the "+k.victims[0]+" is killed", k.writes)
	for _, part := range k.victims {
		var pids []int
		eventually(k.t, 20*time.Second, "there is a"+part+" to kill", func() bool { pids = k.c.pids(part); return len(pids) > 0 })
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// writes tells whether one of the writers is at it.
func (k *killStory) writes() bool {
	return slices.ContainsFunc(k.writers, func(id sdk.TaskID) bool {
		pid, err := strconv.Atoi(strings.TrimSpace(read(k.t, filepath.Join(k.c.truth, string(id)))))
		return err == nil && alive(pid)
	})
}

// settle waits until every task that ends has been told to have ended.
func (k *killStory) settle() {
	k.t.Helper()
	for _, id := range append(k.sevens, k.writers...) {
		k.s.wait(id, 90*time.Second, ended)
	}
}

// identity is pid and start time of a steady task, by its own word and the kernel's.
func (k *killStory) identity(id sdk.TaskID) string {
	lines := k.c.truthOf(k.t, string(id))
	pid, err := strconv.Atoi(lines[len(lines)-1])
	if err != nil {
		return "?"
	}
	return fmt.Sprintf("%d started at %s", pid, startTimeOf(pid))
}

func (k *killStory) identities() map[sdk.TaskID]string {
	out := map[sdk.TaskID]string{}
	for _, id := range k.steady {
		out[id] = k.identity(id)
	}
	return out
}

// checkEnds compares what was told with what the tasks wrote: one run each, and 7.
func (k *killStory) checkEnds() {
	k.t.Helper()
	dropped := 0
	for _, id := range append(k.sevens, k.writers...) {
		st := k.s.last(id)
		runs := 0
		if _, err := os.Stat(filepath.Join(k.c.truth, string(id))); err == nil {
			runs = len(k.c.truthOf(k.t, string(id)))
		}
		switch {
		case runs == 0 && (st.State == sdk.TaskDropped || st.State == sdk.TaskLost || st.State == sdk.TaskGone || st.State == sdk.TaskUnknown):
			dropped++ // never started, and told so: 202 to ACCEPT promises nothing
		case runs != 1:
			k.t.Errorf("%s ran %d times, and was told %s (%s)", id, runs, st.State, st.Message)
		case st.State != sdk.TaskFailed || exited(st) != 7:
			k.t.Errorf("%s exited with 7 and was told as %s, exit code %d: %s %s", id, st.State, exited(st), st.Reason, st.Message)
		}
	}
	if dropped > kills() { // a launch that is on its way at a kill may be lost, and told so
		k.t.Errorf("%d tasks never started in %d kills", dropped, kills())
	}
}

// checkOutput reads every writer's output through the client and misses no line.
func (k *killStory) checkOutput() {
	k.t.Helper()
	for _, id := range k.writers {
		if exited(k.s.last(id)) != 7 {
			continue
		}
		out, err := k.output(id)
		if want := seq(outputLines); out != want || err != nil {
			k.t.Errorf("%s: %d bytes of output, expected %d: first difference at %d; %v", id, len(out), len(want), firstDifference(out, want), err)
		}
	}
}

// output asks the agent itself: a new leader has forgotten tasks that had ended before.
func (k *killStory) output(id sdk.TaskID) (string, error) {
	o := operator.DefaultOptions()
	o.Addrs, o.Token = []string{k.c.addr()}, k.c.token()
	op, err := operator.New(o)
	if err != nil {
		return "", err
	}
	body, err := op.Logs(k.t.Context(), operator.LogRequest{FrameworkID: k.s.f.ID(), TaskID: id, AgentURL: fmt.Sprintf("http://127.0.0.1:%d", 5051+k.c.offset)})
	if err != nil {
		return "", err
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	return string(data), err
}

// seq is what seq(1) writes.
func seq(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		b.WriteString(strconv.Itoa(i))
		b.WriteByte('\n')
	}
	return b.String()
}

func firstDifference(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// TestKillUp kills `up` itself: its daemons go, the tasks stay, the next `up` carries on.
func TestKillUp(t *testing.T) {
	c := startCluster(t)
	pidFile := filepath.Join(c.truth, "pid")
	task := strings.TrimSpace(c.run("run", "--detach", "--", "sh", "-c", "echo $$ > "+pidFile+"; i=0; while true; do echo $i; i=$((i+1)); sleep 0.01; done"))
	eventually(t, 10*time.Second, "the task writes its pid", func() bool { return strings.HasSuffix(read(t, pidFile), "\n") })
	pid, err := strconv.Atoi(strings.TrimSpace(read(t, pidFile)))
	if err != nil {
		t.Fatal(err)
	}
	was := startTimeOf(pid)
	c.kill9()
	c.start()
	if now := startTimeOf(pid); now != was || was == "" {
		t.Fatalf("the task's process started at %q and now at %q", was, now)
	}
	eventually(t, 20*time.Second, "the task is running again in the eyes of the cluster", func() bool { return strings.Contains(c.run("ps"), task) })
	out := strings.Split(strings.TrimSpace(c.run("logs", task)), "\n")
	for i, line := range out {
		if line != strconv.Itoa(i) {
			t.Fatalf("line %d of the log is %q", i, line)
		}
	}
	c.run("kill", task)
	if alive(pid) {
		t.Error("the killed task lives")
	}
}

// TestSecondUp tells that a directory has one `up`.
func TestSecondUp(t *testing.T) {
	c := startCluster(t)
	if r := c.try("up", "--dir", c.dir); r.code == 0 || !strings.Contains(r.talk, "in use") {
		t.Errorf("a second up: %+v", r)
	}
	if r := c.try("up", "--masters", "2"); r.code != 2 || !strings.Contains(r.talk, "must be 1, 3 or 5") {
		t.Errorf("two masters: %+v", r)
	}
}

// TestDaemonIsNamed tells that `up` starts a dead daemon again at once and names it.
func TestDaemonIsNamed(t *testing.T) {
	c := startCluster(t)
	for _, name := range []string{"master", "agent"} {
		pids := c.pids(" " + name + " --dir")
		if len(pids) != 1 {
			t.Fatalf("%d processes are a %s", len(pids), name)
		}
		if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, 5*time.Second, "it is back", func() bool {
			return strings.Contains(c.talk(), name+"0 died (signal killed)") && strings.Contains(c.talk(), name+"0 is started again")
		})
	}
	if r := c.try("run", "--", "echo", "still here"); r.out != "still here\n" {
		t.Errorf("got %+v", r)
	}
}

package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

// launches remembers, from the operators' event stream, by which offers each task was
// launched.
type launches struct {
	mu   sync.Mutex
	seen map[sdk.TaskID][]sdk.OfferID
}

func watchLaunches(t *testing.T, c *cluster) *launches {
	t.Helper()
	o := operator.DefaultOptions()
	o.Addrs, o.Token = []string{c.addr()}, c.token()
	op, err := operator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	l := &launches{seen: map[sdk.TaskID][]sdk.OfferID{}}
	ctx, cancel := context.WithCancel(context.Background())
	ready, over := make(chan bool, 1), make(chan bool)
	go func() {
		defer close(over)
		_ = op.Subscribe(ctx, func(e *sdk.OperatorEvent) error {
			switch {
			case e.Subscribed != nil:
				ready <- true
			case e.TaskAdded != nil:
				l.mu.Lock()
				l.seen[e.TaskAdded.Task.TaskID] = e.TaskAdded.OfferIDs
				l.mu.Unlock()
			}
			return nil
		})
	}()
	t.Cleanup(func() { cancel(); <-over })
	select {
	case <-ready:
	case <-time.After(10 * time.Second):
		t.Fatal("the operators' event stream does not begin")
	}
	return l
}

// offersOf are the offers behind the tasks whose id begins so; ok when there is such a task
// and each has an offer of its own.
func (l *launches) offersOf(prefix string) (ok bool, seen map[sdk.TaskID][]sdk.OfferID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen = map[sdk.TaskID][]sdk.OfferID{}
	ok = true
	for id, offers := range l.seen {
		if strings.HasPrefix(string(id), prefix) {
			seen[id] = offers
			ok = ok && len(offers) == 1 && offers[0] != ""
		}
	}
	return ok && len(seen) > 0, seen
}

// one is the only process of the cluster that has that in its command line.
func (c *cluster) one(part string) int {
	c.t.Helper()
	var pids []int
	eventually(c.t, 20*time.Second, "there is one process of "+part, func() bool {
		pids = slices.DeleteFunc(c.pids(part), func(pid int) bool { return !alive(pid) })
		return len(pids) == 1
	})
	return pids[0]
}

func (c *cluster) marathonishPID() int { c.t.Helper(); return c.one(" marathonish") }

// lines are the pids that instances wrote to a file of the truth, one a line.
func (c *cluster) lines(name string) []int {
	c.t.Helper()
	var out []int
	for _, f := range strings.Fields(read(c.t, filepath.Join(c.truth, name))) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			c.t.Fatalf("the truth %s: %v", name, err)
		}
		out = append(out, pid)
	}
	return out
}

// pidWriter is a command that tells the truth its pid and then waits.
func (c *cluster) pidWriter(name string) string {
	return "echo $$ >> " + filepath.Join(c.truth, name) + "; exec sleep 1000"
}

func kill9(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill -9 of %d: %v", pid, err)
	}
}

// manifest writes a boot manifest of marathonish and apps, and gives its name.
func (c *cluster) manifest(instances int, cpus float64, apps ...any) string {
	c.t.Helper()
	text, err := json.Marshal(map[string]any{"frameworks": []any{map[string]any{"name": "marathonish", "principal": "marathonish",
		"command": `exec "$PROFFER_BINARY" marathonish`, "instances": instances, "cpus": cpus, "mem": 64, "mem_limit": 512}}, "apps": apps})
	if err != nil {
		c.t.Fatal(err)
	}
	name := filepath.Join(filepath.Dir(c.dir), "boot.yaml")
	if err := os.WriteFile(name, text, 0o644); err != nil {
		c.t.Fatal(err)
	}
	return name
}

// TestBoot: the cluster starts marathonish through offers, and that the app of the manifest,
// once, whatever another app of it is. Services that fill the cluster do not keep a killed marathonish from coming back.
func TestBoot(t *testing.T) {
	c := newCluster(t, "--resources", "cpus:1;mem:1024;ports:[0-99]", "--system-headroom", "cpus:0.2;mem:192", "--boot")
	c.args = append(c.args, c.manifest(1, 0.1, map[string]any{"id": "/bad", "cmd": ""}, map[string]any{"id": "/cron", "cmd": c.pidWriter("cron"), "cpus": 0.1, "mem": 32, "role": "system"}))
	c.start()
	m := newMarathon(c)
	m.await()
	starts := watchLaunches(t, c)
	list := c.run("framework", "list")
	if !strings.Contains(list, "init") || !strings.Contains(list, "marathonish") {
		t.Errorf("framework list: %s", list)
	}
	eventually(t, 10*time.Second, "the manifest's app runs", func() bool { return len(c.lines("cron")) == 1 })
	m.must(http.MethodDelete, "/v2/apps/cron?force=true", nil, nil)
	eventually(t, 10*time.Second, "the destroyed app ends", func() bool { return !alive(c.lines("cron")[0]) })

	m.must(http.MethodPut, "/v2/apps/fill", map[string]any{"cmd": c.pidWriter("fill"), "instances": 20, "cpus": 0.1, "mem": 16, "backoffSeconds": 0, "portDefinitions": []any{}}, nil)
	eventually(t, 20*time.Second, "services fill the cluster, and it says so", func() bool {
		return len(c.lines("fill")) >= 8 && strings.Contains(c.run("service", "get", "fill"), "had too few cpus")
	})
	first, victim, ran := c.marathonishPID(), c.lines("fill")[0], len(c.lines("fill"))
	kill9(t, first)
	kill9(t, victim)
	eventually(t, actsAgain, "a killed marathonish is back in a full cluster and handles the next death", func() bool { return len(c.lines("fill")) > ran })
	if status, text := m.do(http.MethodGet, "/v2/apps/cron", nil); status != http.StatusNotFound || len(c.lines("cron")) != 1 {
		t.Errorf("the destroyed app of the manifest after a kill: %d %s, started as %v", status, text, c.lines("cron"))
	}
	for _, prefix := range []string{"marathonish.0.", "fill."} {
		if ok, seen := starts.offersOf(prefix); !ok {
			t.Errorf("the offers behind the starts of %s in the event stream: %v", prefix, seen)
		}
	}

	second := c.marathonishPID()
	born, others := startTimeOf(second), c.lines("fill")
	kill9(t, c.pids(" master --dir")[0])
	m.await()
	if startTimeOf(second) != born || !slices.Equal(others, c.lines("fill")) {
		t.Errorf("the master's death: marathonish %d began at %q, and now at %q; instances %v, and now %v", second, born, startTimeOf(second), others, c.lines("fill"))
	}
}

// TestBootWaits: without room boot waits and status says for what; what ends, or joins, lets
// it go on. Of two instances one stands by.
func TestBootWaits(t *testing.T) {
	c := startCluster(t, "--resources", "cpus:0.5;mem:512")
	if r := c.try("service", "list"); r.code == 0 || !strings.Contains(r.talk, "marathonish") {
		t.Errorf("services where nothing is booted: %+v", r)
	}
	filler := strings.TrimSpace(c.run("run", "--detach", "--cpus", "0.2", "--", "sleep", "1000"))
	c.run("boot", "set", c.manifest(1, 0.4))
	status := func(want ...string) {
		t.Helper()
		said := ""
		eventually(t, 10*time.Second, "status says "+strings.Join(want, ", "), func() bool {
			said = c.run("status")
			var one struct{ Boot []string }
			if err := json.Unmarshal([]byte(c.run("status", "--json")), &one); err != nil {
				t.Fatal(err)
			}
			inJSON := strings.Join(one.Boot, "\n")
			return !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(said, w) || !strings.Contains(inJSON, w) })
		})
	}
	status("0 of 1 running", "marathonish.0 is waiting", "cpus:0.4;mem:64", "127.0.0.1 has cpus:0.3")
	c.run("kill", filler)
	status("1 of 1 running")
	first := c.marathonishPID()
	c.run("boot", "set", c.manifest(2, 0.4))
	status("1 of 2 running", "marathonish.1 is waiting", "cpus:0.4;mem:64", "127.0.0.1 has cpus:0.1")
	watch(t, exec.Command(filepath.Join(binaries, "proffer"), "agent", "--dir", filepath.Join(c.dir, "agent9"), "--bind", "127.0.0.5",
		"--port", strconv.Itoa(5091+c.offset), "--gossip-port", "0", "--masters", c.addr(), "--key", filepath.Join(c.dir, "key"), "--resources", "cpus:0.5;mem:512", "--kill-tasks-on-stop"))
	status("2 of 2 running")
	if !alive(first) {
		t.Fatal("another instance in the manifest has replaced the first")
	}
	m := newMarathon(c)
	m.await()
	m.must(http.MethodPost, "/v2/apps", map[string]any{"id": "/none", "cmd": "sleep 1000", "instances": 0}, nil)
	kill9(t, first)
	eventually(t, actsAgain, "the other marathonish leads", func() bool {
		status, text := m.do(http.MethodGet, "/v2/apps", nil)
		return status == http.StatusOK && strings.Contains(text, "/none")
	})
	status("2 of 2 running")
}

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk/operator"
	"github.com/profferhq/proffer/sdk/store"
)

// pause stops a process until what it gives is called. Its threads stand still when it
// returns: until one of them has taken the signal, the others run on.
func (c *cluster) pause(pid int) (goOn func()) {
	c.t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		c.t.Fatal(err)
	}
	goOn = func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
	c.t.Cleanup(goOn)
	eventually(c.t, 10*time.Second, fmt.Sprintf("process %d stands still", pid), func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		return err == nil && len(threads) > 0 && !slices.ContainsFunc(threads, func(stat string) bool {
			text, err := os.ReadFile(stat)
			_, state, _ := bytes.Cut(text, []byte(") "))
			return err == nil && !bytes.HasPrefix(state, []byte("T"))
		})
	})
	return goOn
}

// fetch makes one call with the operator's token: its status, 0 without an answer, its text
// or error, and how long that took.
func (c *cluster) fetch(url string) (status int, text string, took time.Duration) {
	began := time.Now()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, err.Error(), 0
	}
	req.Header = bearer(c.token())
	resp, err := c.web(30 * time.Second).Do(req)
	if err != nil {
		return 0, err.Error(), time.Since(began)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error(), time.Since(began)
	}
	return resp.StatusCode, string(all), time.Since(began)
}

// silentFor is how long the gateway waits for a framework in TestFrameworksOutliveSilence.
const silentFor = 3 * time.Second

// stoppedFramework: while one of the two frameworks stands still, every master answers what
// concerns others within its bound, the gateway answers 504 with a sentence by either door,
// and what is in flight when it goes on has its answer.
func (c *cluster) stoppedFramework(pid int, own, other service) {
	c.t.Helper()
	masters := sorted(c.masters())
	doors := []string{fmt.Sprintf("http://127.0.0.1:%d", own.port+c.offset)}
	kinds := map[string]func() error{}
	for _, addr := range masters {
		doors = append(doors, "http://"+addr+"/service/"+own.name)
		for _, path := range []string{"/health", "/metrics", "/service/" + other.name + other.path} {
			kinds[addr+path] = func() error {
				if status, text, _ := c.fetch("http://" + addr + path); status != http.StatusOK {
					return fmt.Errorf("%d %s", status, text)
				}
				return nil
			}
		}
		o := operator.DefaultOptions()
		o.Addrs, o.Token = []string{addr}, c.token()
		op, err := operator.New(o)
		if err != nil {
			c.t.Fatal(err)
		}
		defer op.Close()
		kinds[addr+" state"] = func() error { _, err := op.Frameworks(c.t.Context()); return err }
		s, err := store.Open(store.Options{Addrs: []string{addr}, Token: c.token(), Space: "elsewhere"})
		if err != nil {
			c.t.Fatal(err)
		}
		defer s.Close()
		kinds[addr+" store"] = func() error {
			_, err := s.Commit(c.t.Context(), store.Txn{Then: []store.Op{store.Put("k", nil)}})
			return err
		}
	}
	for _, door := range doors {
		eventually(c.t, 20*time.Second, own.name+" answers at "+door, func() bool { status, _, _ := c.fetch(door + own.path); return status == http.StatusOK })
	}
	goOn := c.pause(pid)
	ctx, over := context.WithCancel(c.t.Context())
	var calls, elsewhere sync.WaitGroup
	for what, call := range kinds {
		elsewhere.Go(func() {
			for ctx.Err() == nil {
				began := time.Now()
				if err := call(); err != nil || time.Since(began) > elsewhereBound {
					c.t.Errorf("%s stands still: %s: %v after %v", own.name, what, err, time.Since(began))
				}
				select {
				case <-time.After(200 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		})
	}
	for _, door := range doors {
		calls.Go(func() {
			status, text, took := c.fetch(door + own.path)
			if status != http.StatusGatewayTimeout || !strings.Contains(text, `{"message":"the framework `+own.name+` does not answer`) || took > silentFor+elsewhereBound {
				c.t.Errorf("%s stands still: %s answers %d %s after %v", own.name, door, status, text, took)
			}
		})
	}
	calls.Wait()
	for _, door := range doors {
		calls.Go(func() {
			if status, text, _ := c.fetch(door + own.path); status != http.StatusOK {
				c.t.Errorf("%s goes on, and %s answers what was in flight with %d %s", own.name, door, status, text)
			}
		})
	}
	select {
	case <-time.After(silentFor / 10): // they are in flight
	case <-ctx.Done():
	}
	goOn()
	calls.Wait()
	over()
	elsewhere.Wait()
	if !alive(pid) {
		c.t.Errorf("%s has ended: %s", own.name, c.try("ps", "--all").out)
	}
}

// service is a framework behind the gateway: a path that it answers, and its port.
type service struct {
	name, path string
	port       int
}

// TestFrameworksOutliveSilence: marathonish and chronosish live on (the same processes) when
// they stand still themselves (and nobody else waits for them), when the leader stands still for longer than their leases (and callers of other masters reach them by the next one), when all masters do, and when an
// agent that runs one of them is silent and the leader changes meanwhile.
func TestFrameworksOutliveSilence(t *testing.T) {
	both := []service{{"marathonish", "/v2/apps", 8080}, {"chronosish", "/v1/scheduler/jobs", 4400}}
	c := newCluster(t, append(booted(), "--profile", "fast", "--masters", "3", "--agents", "3", "--publish", "8080=marathonish", "--publish", "4400=chronosish")...)
	c.env = append(c.env, "PROFFER_MASTER_GATEWAY_TIMEOUT="+silentFor.String())
	c.start()
	answers := func() bool { status, _ := c.chronos(http.MethodGet, "/jobs", ""); return status == http.StatusOK }
	eventually(t, 30*time.Second, "chronosish answers", answers)
	was := map[string]int{" marathonish": c.one("proffer marathonish"), " chronosish": c.one("proffer chronosish")}
	same := func(when string) {
		t.Helper()
		for kind, pid := range was {
			if !alive(pid) {
				t.Errorf("%s:%s has ended: %s", when, kind, c.try("ps", "--all").out)
			}
		}
	}
	meanwhile := func(span time.Duration, when string) {
		t.Helper()
		look := time.NewTicker(500 * time.Millisecond)
		defer look.Stop()
		for end := time.After(span); ; {
			select {
			case <-look.C:
				if same(when); t.Failed() {
					return
				}
			case <-end:
				return
			}
		}
	}
	stop := func(what string, pids ...int) {
		var all []func()
		for _, pid := range pids {
			all = append(all, c.pause(pid))
		}
		meanwhile(12*time.Second, "while "+what+" stood still") // the leases last ten
		for _, goOn := range all {
			goOn()
		}
		c.settled(3)
		eventually(t, 30*time.Second, "chronosish answers", answers)
		same("after " + what + " stood still")
	}
	c.settled(3)
	c.stoppedFramework(was[" marathonish"], both[0], both[1])
	c.stoppedFramework(was[" chronosish"], both[1], both[0])
	leader := c.settled(3)
	slowest := c.behind(leader, both...)
	stop("the leader", c.masterPID(leader))
	took := slowest()
	t.Logf("while the leader stood still: the slowest calls through the gateway: %v", took)
	for kind, slow := range took {
		// Frameworks come to the next one as soon as launches go on. What was carried to this
		// one is broken off a second after another leads: who never waited has missed it all.
		if slow < time.Second || slow > launchBound {
			t.Errorf("while the leader stood still: the slowest call of %s through the gateway took %v", kind, slow)
		}
	}
	if os.Getenv("PROFFER_SOAK") != "" {
		stop("all masters", c.pids(fmt.Sprintf(" master --dir %s/master", c.dir))...)
	}
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", was[" chronosish"]))
	home := regexp.MustCompile(regexp.QuoteMeta(c.dir) + `/agent[0-9]`).FindString(cwd)
	if err != nil || home == "" {
		t.Fatalf("chronosish runs in %q, %v", cwd, err)
	}
	goOn := c.pause(c.one(" agent --dir " + home + " "))
	eventually(t, 20*time.Second, "the agent is unreachable", func() bool { return strings.Contains(c.try("agent", "list").out, "unreachable") })
	c.run("cluster", "transfer")
	c.settled(3)
	meanwhile(2*time.Second, "while the agent was unreachable and another led") // a keeper looks twice a second for tasks that have ended
	goOn()
	eventually(t, 30*time.Second, "chronosish answers", answers)
}

package e2e

import (
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// drainStory has the truth about when instances got their SIGTERM.
type drainStory struct {
	t *testing.T
	c *cluster
	m *marathon
}

// deploy puts an app whose instances tell their pid, and later the time of each SIGTERM.
func (s *drainStory) deploy(name, drain string, instances, generation int) {
	s.t.Helper()
	truth := filepath.Join(s.c.truth, name)
	s.m.must(http.MethodPut, "/v2/apps/"+name, map[string]any{
		"cmd":       `trap 'echo "$$ $(date +%s%N)" >> ` + truth + `.term; exit 0' TERM; echo $$ >> ` + truth + `; while true; do sleep 0.05; done`,
		"instances": instances, "cpus": 0.1, "mem": 32, "ports": []int{0}, "labels": map[string]string{"PROFFER_DRAIN_SECONDS": drain},
		"env": map[string]string{"GENERATION": strconv.Itoa(generation)},
	}, nil)
}

// running waits until so many instances run and nothing else is about to happen.
func (s *drainStory) running(name string, n int) {
	s.t.Helper()
	eventually(s.t, 20*time.Second, strconv.Itoa(n)+" of "+name+" run", func() bool {
		a := s.m.app("/" + name).App
		return a.Running == n && len(a.Tasks) == n && len(a.Deployments) == 0 && s.killing(name) == 0
	})
}

// killing is how many instances marathonish shows as TASK_KILLING.
func (s *drainStory) killing(name string) (n int) {
	s.t.Helper()
	for _, task := range s.m.app("/" + name).App.Tasks {
		if task.State == "TASK_KILLING" {
			n++
		}
	}
	return n
}

// terms are the times of all SIGTERMs so far, by pid. It is a fault to get two.
func (s *drainStory) terms(name string) map[int]time.Time {
	s.t.Helper()
	out := map[int]time.Time{}
	for _, line := range strings.Split(read(s.t, filepath.Join(s.c.truth, name+".term")), "\n") {
		pid, nanoseconds, ok := strings.Cut(line, " ")
		p, err := strconv.Atoi(pid)
		at, err2 := strconv.ParseInt(nanoseconds, 10, 64)
		if !ok || err != nil || err2 != nil {
			continue // not written yet
		}
		if _, twice := out[p]; twice {
			s.t.Errorf("%s: the instance %d got two SIGTERMs", name, p)
		}
		out[p] = time.Unix(0, at)
	}
	return out
}

// TestDraining: what is scaled away or replaced is shown as TASK_KILLING first, and gets its
// SIGTERM when it has drained; also when the master or marathonish was killed meanwhile.
func TestDraining(t *testing.T) {
	c := startCluster(t, append(booted(), "--resources", "cpus:4;mem:2048;ports:[0-99]")...)
	s := &drainStory{t: t, c: c, m: newMarathon(c)}
	s.m.await()
	const drain, late = 2 * time.Second, 5 * time.Second // late: with all that a busy machine adds
	s.deploy("slow", "2", 3, 1)
	s.deploy("once", "0", 3, 1)
	s.running("slow", 3)
	s.running("once", 3)

	begin := time.Now()
	s.deploy("slow", "2", 2, 1)
	eventually(t, drain, "what is scaled away is shown as TASK_KILLING", func() bool { return s.killing("slow") == 1 })
	if terms := s.terms("slow"); len(terms) > 0 {
		t.Errorf("it got SIGTERM before it was shown: %v", terms)
	}
	kill9(t, c.one(" master --dir"))
	s.running("slow", 2)
	terms := s.terms("slow")
	if len(terms) != 1 {
		t.Fatalf("one of three was scaled away, and these got SIGTERM: %v", terms)
	}
	for pid, at := range terms {
		if took := at.Sub(begin); took < drain || took > drain+late {
			t.Errorf("%d got SIGTERM %s after it was scaled away, its drain is %s", pid, took, drain)
		}
	}

	// A drain of 0: at once, which is sooner than the second that an app with ports has by
	// itself. A busy machine has a second try.
	for n := 2; n >= 1; n-- {
		before := len(s.terms("once"))
		begin = time.Now()
		s.deploy("once", "0", n, 1)
		s.running("once", n)
		last := time.Time{}
		for _, at := range s.terms("once") {
			if at.After(last) {
				last = at
			}
		}
		took := last.Sub(begin)
		if len(s.terms("once")) != before+1 {
			t.Fatalf("one more was scaled away, and these got SIGTERM: %v", s.terms("once"))
		}
		if took < time.Second {
			break
		}
		if n == 1 {
			t.Errorf("a drain of 0: SIGTERM after %s", took)
		}
	}

	begin = time.Now()
	s.deploy("slow", "2", 2, 2)
	eventually(t, late, "those that are replaced are shown as TASK_KILLING", func() bool { return s.killing("slow") == 2 })
	shown := time.Now()
	if got := s.terms("slow"); len(got) != 1 {
		t.Errorf("they got SIGTERM before they were shown: %v", got)
	}
	kill9(t, c.marathonishPID())
	s.running("slow", 2)
	terms = s.terms("slow")
	pids := c.lines("slow")
	if len(terms) != 3 || len(pids) != 5 {
		t.Fatalf("two were replaced: started %v, SIGTERM %v", pids, terms)
	}
	for i, pid := range pids {
		at, got := terms[pid]
		if got != (i < 3) || alive(pid) == got {
			t.Errorf("instance %d of %v: SIGTERM %v, alive %v", pid, pids, got, alive(pid))
		}
		if took := at.Sub(begin); got && at.After(begin) && (took < drain || at.Sub(shown) > drain+late) {
			t.Errorf("%d got SIGTERM %s after it was replaced, its drain is %s", pid, took, drain)
		}
	}
}

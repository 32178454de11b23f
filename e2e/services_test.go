package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The service story: six instances on three agents, three more while they are replaced.
const (
	wantInstances = 6
	mostInstances = 9
	allowance     = 10 * time.Second // a killed instance counts as healthy for this long
	actsAgain     = 3 * time.Second  // a killed marathonish handles the next death within this
)

// TestServicesUnderKills is promise P5: whatever dies, instances that were not killed keep
// their processes, a rolling update stays between floor and ceiling, and in the end there are
// six, each index once. The long form (PROFFER_SOAK) takes ten minutes.
func TestServicesUnderKills(t *testing.T) {
	needCgroups(t)
	rounds, shortest, longest := 1, 1500*time.Millisecond, 3500*time.Millisecond
	if os.Getenv("PROFFER_SOAK") != "" {
		rounds, shortest, longest = 10, 5*time.Second, 15*time.Second
	}
	args := append(booted(), "--agents", "3")
	for i := range 3 {
		args = append(args, "--resources", fmt.Sprintf("cpus:8;mem:8192;ports:[%d-%d]", 33*i, 33*i+32))
	}
	c := startCluster(t, args...)
	s := newServiceStory(t, c)
	s.deploy(1)
	s.settle("after the start")
	var kinds []string
	for range rounds {
		kinds = append(kinds, "instance", "executor", "launcher", "agent", "marathonish", "master")
	}
	s.random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for i, kind := range kinds {
		if i%6 == 0 {
			s.deploy(2 + i/6)
		}
		s.pause(shortest + time.Duration(s.random.Int64N(int64(longest-shortest))))
		s.kill(kind)
		if i%6 == 5 {
			s.settle("after " + strconv.Itoa(i+1) + " kills")
		}
	}
	s.settle("in the end")
}

// webInstance is one line of the truth: a process that said who it is.
type webInstance struct {
	pid        int
	index      int
	generation int
	addr       string
	start      string    // its process's start time, when it was seen first
	seen       time.Time // when
	killed     time.Time // by the test
	gone       bool
	healthy    bool // answered the last sample
	well       bool // has answered once
}

// serviceStory samples the truth beside what the test does.
type serviceStory struct {
	t      *testing.T
	c      *cluster
	m      *marathon
	truth  string
	random *rand.Rand

	mu       sync.Mutex
	all      []*webInstance
	newest   int  // generation that was submitted last
	updating bool // from before its PUT to the end of its deployment
	whole    bool // all were there once
	faults   []string
	stop     chan struct{}
	stopped  chan struct{}
}

func newServiceStory(t *testing.T, c *cluster) *serviceStory {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &serviceStory{t: t, c: c, m: newMarathon(c), truth: filepath.Join(c.truth, "web"), random: rand.New(rand.NewPCG(seed, 1)),
		stop: make(chan struct{}), stopped: make(chan struct{})}
	s.m.await()
	go s.sample()
	t.Cleanup(func() {
		close(s.stop)
		<-s.stopped
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, f := range s.faults {
			t.Error(f)
		}
	})
	return s
}

// deploy submits a generation of the app; the deployment goes on beside the kills.
func (s *serviceStory) deploy(generation int) {
	s.t.Helper()
	s.mu.Lock()
	s.newest, s.updating = generation, true
	s.mu.Unlock()
	s.m.must(http.MethodPut, "/v2/apps/web?force=true", map[string]any{
		"cmd": webCommand(s.t, s.truth), "instances": wantInstances, "cpus": 0.1, "mem": 64, "backoffSeconds": 0,
		"env":             map[string]string{"GENERATION": strconv.Itoa(generation)},
		"ports":           []int{0},
		"healthChecks":    []any{map[string]any{"protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0, "intervalSeconds": 1, "gracePeriodSeconds": 10}},
		"upgradeStrategy": map[string]any{"minimumHealthCapacity": 1, "maximumOverCapacity": 0.5},
	}, nil)
}

// sample looks at every process of the truth, twenty times a second, for as long as the
// story lasts.
func (s *serviceStory) sample() {
	defer close(s.stopped)
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		data, _ := os.ReadFile(s.truth)
		s.mu.Lock()
		s.read(string(data))
		var live []*webInstance
		for _, w := range s.all {
			if !w.gone {
				live = append(live, w)
			}
		}
		s.mu.Unlock()
		well := make([]bool, len(live))
		var g sync.WaitGroup
		for i, w := range live {
			g.Go(func() {
				resp, err := client.Get("http://" + w.addr + "/health")
				if err == nil {
					well[i] = resp.StatusCode == http.StatusOK
					_ = resp.Body.Close()
				}
			})
		}
		g.Wait()
		s.mu.Lock()
		for i, w := range live {
			w.healthy = well[i]
			w.well = w.well || well[i]
		}
		s.judge()
		s.mu.Unlock()
	}
}

// read takes new lines of the truth in.
func (s *serviceStory) read(text string) {
	lines := strings.Split(text, "\n")
	for _, line := range lines[min(len(s.all), len(lines)-1) : len(lines)-1] {
		f := strings.Fields(line)
		if len(f) != 4 {
			s.fault("the truth has a line %q", line)
			f = []string{"0", "-1", "0", ""}
		}
		w := &webInstance{addr: f[3], seen: time.Now()}
		w.pid, _ = strconv.Atoi(f[0])
		w.index, _ = strconv.Atoi(f[1])
		w.generation, _ = strconv.Atoi(f[2])
		w.start = startTimeOf(w.pid)
		s.all = append(s.all, w)
	}
}

// judge holds the promises against one sample.
func (s *serviceStory) judge() {
	now, alive, healthy := time.Now(), 0, 0
	for _, w := range s.all {
		if w.gone {
			continue
		}
		if start := startTimeOf(w.pid); start == "" || start != w.start {
			w.gone, w.healthy = true, false
			if w.killed.IsZero() && w.generation == s.newest {
				s.fault("instance %d (process %d, generation %d) ended, and nobody killed it", w.index, w.pid, w.generation)
			}
			continue
		}
		alive++
		if w.healthy {
			healthy++
		}
	}
	most := wantInstances
	if s.updating {
		most = mostInstances
	}
	if alive > most {
		s.fault("%d instances run, more than %d: %s", alive, most, s.describe())
	}
	// Before the first time that all were there nothing can be held.
	if s.whole && healthy+s.excused(now) < wantInstances {
		s.fault("%d are healthy and %d excused, fewer than %d: %s", healthy, s.excused(now), wantInstances, s.describe())
	}
}

// excused counts instances that the test killed a moment ago and that are not replaced yet.
func (s *serviceStory) excused(now time.Time) int {
	n := 0
	for _, w := range s.all {
		if w.killed.IsZero() || now.Sub(w.killed) > allowance {
			continue
		}
		replaced := slices.ContainsFunc(s.all, func(o *webInstance) bool { return o.index == w.index && o.seen.After(w.killed) && o.well })
		if !replaced {
			n++
		}
	}
	return n
}

func (s *serviceStory) describe() string {
	var out []string
	for _, w := range s.all {
		if !w.gone {
			out = append(out, fmt.Sprintf("%d/%d(pid %d healthy %v)", w.index, w.generation, w.pid, w.healthy))
		}
	}
	return strings.Join(out, " ")
}

func (s *serviceStory) fault(format string, args ...any) {
	if len(s.faults) < 20 {
		s.faults = append(s.faults, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	}
}

// kill kills one process of a kind with SIGKILL.
func (s *serviceStory) kill(kind string) {
	s.t.Helper()
	s.t.Logf("%s kill -9 of %s", time.Now().Format("15:04:05.000"), kind)
	switch kind {
	case "instance":
		s.end(s.victim(false))
	case "marathonish":
		// One that an update is about to end would need no successor.
		victim := s.victim(true)
		s.killOne(" marathonish")
		died := time.Now()
		s.end(victim)
		began := func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return slices.ContainsFunc(s.all, func(w *webInstance) bool { return w.seen.After(died) })
		}
		eventually(s.t, allowance, "the death of an instance is handled by the next marathonish", began)
		took := time.Since(died)
		s.t.Logf("marathonish acted again after %s", took.Round(time.Millisecond))
		if took > actsAgain {
			s.t.Errorf("a killed marathonish acted again after %s, more than %s", took, actsAgain)
		}
	case "master":
		s.killOne(" master --dir")
	case "agent":
		s.killOne(" agent --dir")
	case "launcher":
		s.killOne("proffer-executor launcher")
	case "executor":
		s.killOne("proffer-executor executor")
	}
}

// killOne kills one of the cluster's processes, whichever.
func (s *serviceStory) killOne(part string) {
	s.t.Helper()
	var pids []int
	eventually(s.t, 20*time.Second, "there is a"+part+" to kill", func() bool { pids = s.c.pids(part); return len(pids) > 0 })
	_ = syscall.Kill(pids[s.random.IntN(len(pids))], syscall.SIGKILL)
}

// victim is an instance that is well, whichever; one of the newest generation if stays is
// set.
func (s *serviceStory) victim(stays bool) (victim *webInstance) {
	s.t.Helper()
	eventually(s.t, 30*time.Second, "there is an instance to kill", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		var live []*webInstance
		for _, w := range s.all {
			if !w.gone && w.healthy && (!stays || w.generation == s.newest) {
				live = append(live, w)
			}
		}
		if len(live) == 0 {
			return false
		}
		victim = live[s.random.IntN(len(live))]
		return true
	})
	return victim
}

// end kills an instance.
func (s *serviceStory) end(victim *webInstance) {
	s.mu.Lock()
	victim.killed = time.Now()
	s.mu.Unlock()
	_ = syscall.Kill(victim.pid, syscall.SIGKILL)
}

func (s *serviceStory) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// settle waits until the newest generation is all there is, by marathonish's word and by the
// truth.
func (s *serviceStory) settle(when string) {
	s.t.Helper()
	var a appState
	eventually(s.t, 90*time.Second, "six healthy instances, no deployment "+when, func() bool {
		a = s.m.app("/web")
		return a.App.Healthy == wantInstances && len(a.App.Deployments) == 0 && len(a.App.Tasks) == wantInstances
	})
	s.mu.Lock()
	s.updating, s.whole = false, true
	s.mu.Unlock()
	var indexes []int
	eventually(s.t, 10*time.Second, "the truth has each index once "+when, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		indexes = nil
		for _, w := range s.all {
			if !w.gone && w.healthy && w.generation == s.newest {
				indexes = append(indexes, w.index)
			}
		}
		slices.Sort(indexes)
		return slices.Equal(indexes, []int{0, 1, 2, 3, 4, 5})
	})
}

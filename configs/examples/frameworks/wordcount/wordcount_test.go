package main

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
)

// cluster is a kernel inside this process: its simulated agents call what the
// executor would.
type cluster struct {
	t *testing.T
	k *sdktest.Kernel

	mu    sync.Mutex
	most  int // jobs that may be worked at
	begun int
	done  int
	tries map[string]int // attempts that have done their work, by job
	spent func()         // is called when those are done
}

func newCluster(t *testing.T, most int) *cluster {
	t.Helper()
	c := &cluster{t: t, most: most, tries: map[string]int{}, spent: func() {}}
	c.k = sdktest.New(t, sdktest.Options{Agents: []sdktest.Agent{{}, {}}, Run: func(task sdk.TaskInfo) sdktest.Outcome {
		go c.work(task) // later: the kernel stands still, and work calls it
		return sdktest.Outcome{Endless: true}
	}})
	t.Setenv("PROFFER_ADDR", c.k.Addr())
	t.Setenv("PROFFER_TOKEN", c.k.Token())
	return c
}

func (c *cluster) work(task sdk.TaskInfo) {
	var j job
	if err := json.Unmarshal(task.Data, &j); err != nil || j.Slow {
		return // it is killed on purpose
	}
	c.mu.Lock()
	c.begun++
	may := c.begun <= c.most
	c.mu.Unlock()
	if !may {
		return
	}
	outcome := sdktest.Outcome{}
	if err := work(c.t.Context(), &j); err != nil {
		outcome = sdktest.Outcome{State: sdk.TaskFailed, Message: err.Error()}
	}
	c.mu.Lock()
	c.tries[j.Name]++
	if c.done++; c.done == c.most {
		c.spent()
	}
	c.mu.Unlock()
	for c.k.End(task.TaskID, outcome) != nil { // it does not run yet
		select {
		case <-time.After(time.Millisecond):
		case <-c.t.Context().Done():
			return
		}
	}
}

func small() config {
	return config{root: goroot(), host: "127.0.0.1", megabytes: 2, pieces: 4, reducers: 2, bound: 60e9}
}

func TestCountsAgree(t *testing.T) {
	newCluster(t, 100)
	if err := run(small()); err != nil {
		t.Error(err)
	}
}

func TestABrokenCountIsSeen(t *testing.T) {
	newCluster(t, 100)
	t.Setenv("WORDCOUNT_BREAK", "1")
	err := run(small())
	if err == nil || !strings.Contains(err.Error(), `"func"`) {
		t.Errorf("err = %v", err)
	}
}

// TestItGoesOnWhereItWas: a second life does only what the first has left, and a third
// has nothing to do.
func TestItGoesOnWhereItWas(t *testing.T) {
	c := newCluster(t, 3)
	ctx, die := context.WithCancel(t.Context())
	c.spent = die
	stays := small()
	stays.stay = true
	if err := countAll(ctx, stays); ctx.Err() == nil {
		t.Fatalf("the first life has ended by itself: %v", err)
	}
	c.mu.Lock()
	before := len(c.tries)
	c.most = 100
	c.mu.Unlock()
	for life := 2; life <= 3; life++ {
		if err := countAll(t.Context(), stays); err != nil {
			t.Fatalf("life %d: %v", life, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if before != 3 || len(c.tries) != 6 {
		t.Errorf("%d jobs were done in the first life, %d in all", before, len(c.tries))
	}
	for name, n := range c.tries {
		if n != 1 {
			t.Errorf("%s was done %d times", name, n)
		}
	}
}

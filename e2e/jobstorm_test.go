package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// jobPast is what is read of a job's past.
type jobPast struct {
	Runs []struct {
		Nominal time.Time `json:"nominal"`
	} `json:"runs"`
	History []struct {
		Nominal time.Time `json:"nominal"`
		Last    string    `json:"lastSlot"`
		Outcome string    `json:"outcome"`
		Again   bool      `json:"again"`
	} `json:"history"`
}

// past reads all that is known of a job's runs; false: nobody answers.
func (c *cluster) past(name string) (p jobPast, ok bool) {
	req, err := http.NewRequest(http.MethodGet, "http://"+c.addr()+"/service/chronosish/v2/jobs/"+name+"/history?limit=10000", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.SetBasicAuth("user", c.token())
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return p, false
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return p, err == nil && resp.StatusCode == http.StatusOK && json.Unmarshal(data, &p) == nil
}

// TestJobsUnderKills is promise P6: whatever is killed, no attempt of a slot starts twice,
// each slot runs or is skipped with a record, 95 of 100 run, and a child runs after its
// parent each time. The long form (PROFFER_SOAK) takes ten minutes.
func TestJobsUnderKills(t *testing.T) {
	rounds, pause := 1, 4*time.Second
	if os.Getenv("PROFFER_SOAK") != "" {
		rounds, pause = 10, 20*time.Second
	}
	c := startCluster(t, append(booted(), "--agents", "2", "--resources", "cpus:4;mem:4096;disk:4096;ports:[28000-28099]", "--resources", "cpus:4;mem:4096;disk:4096;ports:[28100-28199]")...)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	eventually(t, 20*time.Second, "chronosish is up", func() bool { status, _ := c.chronos(http.MethodGet, "/jobs", ""); return status == http.StatusOK })
	start := time.Now().UTC().Truncate(time.Second).Add(2 * time.Second)
	c.job(t, "/iso8601", "second", fmt.Sprintf(`"schedule": "R/%s/PT1S", "epsilon": "PT1M"`, start.Format(time.RFC3339)))
	c.job(t, "/iso8601", "third", fmt.Sprintf(`"schedule": "R/%s/PT3S", "epsilon": "PT1M"`, start.Format(time.RFC3339)))
	c.job(t, "/dependency", "child", `"parents": ["third"]`)

	var kinds []string
	for range rounds {
		kinds = append(kinds, " chronosish", " marathonish", " master --dir", " agent --dir", "proffer-executor launcher", "proffer-executor executor")
	}
	random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for _, kind := range kinds {
		wait := time.NewTimer(time.Duration(random.Int64N(int64(pause))))
		<-wait.C
		var pids []int
		eventually(t, 20*time.Second, "there is a"+kind+" to kill", func() bool { pids = c.pids(kind); return len(pids) > 0 })
		t.Logf("%s kill -9 of%s", time.Now().Format("15:04:05.000"), kind)
		_ = syscall.Kill(pids[random.IntN(len(pids))], syscall.SIGKILL)
	}
	end := time.Now().UTC().Truncate(time.Second)
	for _, name := range []string{"second", "third"} {
		period := time.Second
		if name == "third" {
			period *= 3
		}
		var lost []time.Time
		ran, slots := 0, 0
		eventually(t, 90*time.Second, "each slot of "+name+" until the last kill has its fate", func() bool {
			lost, ran, slots = nil, 0, 0
			past, ok := c.past(name)
			fates := past.fates(period)
			for at := start; !at.After(end); at = at.Add(period) {
				slots++
				switch fate := fates[at.UnixMilli()]; fate {
				case "":
					lost = append(lost, at)
				case "SUCCEEDED":
					ran++
				}
			}
			return ok && len(lost) == 0
		})
		if t.Logf("%d of %d slots of %s ran", ran, slots, name); ran*100 < slots*95 {
			t.Errorf("only %d of %d slots of %s ran", ran, slots, name)
		}
	}
	seen := map[string]int{}
	for _, name := range []string{"second", "third", "child"} {
		for _, line := range strings.Fields(read(t, filepath.Join(c.truth, name))) {
			if seen[name+line]++; seen[name+line] > 1 {
				t.Errorf("the attempt %s of %s started twice", line, name)
			}
		}
	}
	eventually(t, 20*time.Second, "a child has run after each parent", func() bool {
		parents, _ := c.past("third")
		children, _ := c.past("child")
		n := map[string]int{}
		for _, h := range parents.History {
			n[h.Outcome]++
		}
		return len(children.History) > 0 && len(children.History)+len(children.Runs) >= n["SUCCEEDED"]-1
	})
}

// job makes a job that writes slot and attempt of each start to the truth.
func (c *cluster) job(t *testing.T, kind, name, rest string) {
	t.Helper()
	body := fmt.Sprintf(`{"name": %q, "command": "echo $CHRONOS_JOB_RUN_TIME-$CHRONOS_JOB_RUN_ATTEMPT >> %s", "cpus": 0.1, "mem": 32, "disk": 1, "retryDelay": "PT1S", %s}`, name, filepath.Join(c.truth, name), rest)
	if status, text := c.chronos(http.MethodPost, kind, body); status != http.StatusNoContent {
		t.Fatalf("the job %s: %d %s", name, status, text)
	}
}

// fates are the outcomes of slots, by milliseconds since 1970.
func (p jobPast) fates(period time.Duration) map[int64]string {
	fates := map[int64]string{}
	for _, h := range p.History {
		if h.Again {
			continue
		}
		last, err := time.Parse(time.RFC3339Nano, h.Last)
		if err != nil {
			last = h.Nominal
		}
		for at := h.Nominal; !at.After(last); at = at.Add(period) {
			fates[at.UnixMilli()] = h.Outcome
		}
	}
	return fates
}

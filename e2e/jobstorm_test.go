package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/e2e/slots"
)

// victims are the kinds of processes that the storm kills, by a part of their command
// lines.
func victims() []string {
	return []string{"proffer chronosish", "proffer marathonish", "proffer master", "proffer agent", "proffer-executor launcher", "proffer-executor executor"}
}

// afterKills is how long slots are judged after the last kill, for what it does.
const afterKills = 3 * time.Second

// storm is what a form of the story has: its kills come after random pauses, and each
// kind has its share of them.
type storm struct {
	each int           // how often each kind is killed, at least
	mean time.Duration // of a pause
	long time.Duration // how long it lasts; 0: until the last kill
}

// plan is the order of the victims and the pause before each, from one seed.
func (s storm) plan(random *rand.Rand) (kinds []string, pauses []time.Duration) {
	wanted := max(s.each*len(victims()), int(s.long/s.mean))
	for len(kinds) < wanted {
		kinds = append(kinds, victims()...)
	}
	random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	var sum time.Duration
	for range kinds {
		// Exponential, so that some come together; cut, so that none is a story of its own.
		p := min(time.Duration(random.ExpFloat64()*float64(s.mean)), 4*s.mean)
		pauses, sum = append(pauses, p), sum+p
	}
	for i := range pauses { // all of them are as long as was wanted
		pauses[i] = time.Duration(float64(pauses[i]) * float64(s.mean) * float64(len(kinds)) / float64(sum))
	}
	return kinds, pauses
}

// TestJobsUnderKills is promise P6, judged by what the runs write: whatever is killed, no
// attempt of a slot starts twice, each slot runs or is skipped with a record, 95 of 100
// run, and a child runs after its parent each time. The long form (PROFFER_SOAK) takes ten
// minutes; PROFFER_SEED repeats the order of a storm.
func TestJobsUnderKills(t *testing.T) {
	s := storm{each: 1, mean: 2 * time.Second}
	if os.Getenv("PROFFER_SOAK") != "" {
		s = storm{each: 8, mean: 10 * time.Second, long: 10 * time.Minute}
	}
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("PROFFER_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	t.Logf("PROFFER_SEED=%d", seed)
	kinds, pauses := s.plan(rand.New(rand.NewPCG(seed, 1)))

	c := startCluster(t, append(booted(), "--agents", "2", "--resources", "cpus:4;mem:4096;disk:4096;ports:[0-49]", "--resources", "cpus:4;mem:4096;disk:4096;ports:[50-99]")...)
	eventually(t, 20*time.Second, "chronosish is up", func() bool { status, _ := c.chronos(http.MethodGet, "/jobs", ""); return status == http.StatusOK })
	start := time.Now().UTC().Truncate(time.Second).Add(2 * time.Second)
	jobs := c.stormJobs(start)
	still := watchMachine(t, filepath.Join(c.truth, "witness"))
	for i, kind := range kinds {
		<-time.NewTimer(pauses[i]).C
		c.killOneOf(kind, rand.New(rand.NewPCG(seed, uint64(i))))
	}
	<-time.NewTimer(max(time.Until(start.Add(s.long)), afterKills)).C
	end := time.Now().UTC().Truncate(time.Second)
	t.Logf("%d kills in %v: %v", len(kinds), end.Sub(start), counts(kinds))

	report := c.verdicts(jobs, end, 90*time.Second)
	t.Logf("the verdicts:\n%v", &report)
	t.Logf("pauses of more than 2 s: %q; of the machine itself, of more than 1 s: %v", slots.Pauses(c.told(), 2000), still())
	for _, f := range report.Findings {
		t.Errorf("%v", f)
	}
	for name, n := range report.Tallies {
		if n.Slots == 0 || n.Ran*100 < n.Slots*95 {
			t.Errorf("only %d of %d slots of %s ran", n.Ran, n.Slots, name)
		}
	}
}

// verdicts waits until the runs of all slots until that time are over and told, within a
// bound; what is not by then is among the findings.
func (c *cluster) verdicts(jobs []slots.Job, end time.Time, within time.Duration) (report slots.Report) {
	c.t.Helper()
	settled := func() bool {
		records, ok := c.history(jobs)
		if ok {
			report = slots.Judge(jobs, c.told(), records, end.UnixMilli())
		}
		return ok && report.Has(slots.Missed)+report.Has(slots.LostChild)+report.Has(slots.Broken)+report.Has(slots.Untold)+report.Has(slots.Phantom) == 0
	}
	for deadline := time.Now().Add(within); !settled() && time.Now().Before(deadline); {
		<-time.NewTimer(time.Second / 2).C
	}
	return report
}

func counts(list []string) map[string]int {
	n := map[string]int{}
	for _, x := range list {
		n[x]++
	}
	return n
}

// killOneOf kills a process of that kind, as soon as there is one.
func (c *cluster) killOneOf(kind string, random *rand.Rand) {
	c.t.Helper()
	var pids []int
	eventually(c.t, 20*time.Second, "there is a "+kind+" to kill", func() bool { pids = c.pids(kind); return len(pids) > 0 })
	pid := pids[random.IntN(len(pids))]
	c.t.Logf("%s kill -9 of %s, %d", time.Now().UTC().Format("15:04:05.000"), kind, pid)
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// stormJobs makes a job every second, and one every three seconds with a child, and tells
// the judge of them.
func (c *cluster) stormJobs(start time.Time) []slots.Job {
	c.t.Helper()
	jobs := []slots.Job{
		{Name: "second", Start: start.UnixMilli(), Period: 1000, Window: 60_000},
		{Name: "third", Start: start.UnixMilli(), Period: 3000, Window: 60_000},
		{Name: "child", Parent: "third"},
	}
	for i := range jobs {
		j := &jobs[i]
		j.Retries, j.RetryDelay = 2, 1000
		kind, when, work := "/dependency", `"parents": ["third"]`, "sleep 0.1"
		if j.Parent == "" {
			kind, when = "/iso8601", fmt.Sprintf(`"schedule": "R/%s/PT%dS", "epsilon": "PT1M"`, start.Format(time.RFC3339), j.Period/1000)
		}
		if j.Period > 1000 {
			work = "sleep 1" // so that kills find it at work
		}
		body := fmt.Sprintf(`{"name": %q, "command": %q, "cpus": 0.1, "mem": 32, "disk": 1, "retries": %d, "retryDelay": "PT1S", %s}`,
			j.Name, slots.Command(filepath.Join(c.truth, j.Name), work), j.Retries, when)
		if status, text := c.chronos(http.MethodPost, kind, body); status != http.StatusNoContent {
			c.t.Fatalf("the job %s: %d %s", j.Name, status, text)
		}
	}
	return jobs
}

// told is all that the runs have written.
func (c *cluster) told() []slots.Line {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.truth, "*.*"))
	if err != nil {
		c.t.Fatal(err)
	}
	var list []slots.Line
	for _, name := range files {
		more, err := slots.Parse(read(c.t, name))
		if err != nil {
			c.t.Fatalf("%s: %v", name, err)
		}
		list = append(list, more...)
	}
	return list
}

// history is what chronosish has written down of the jobs; false: nobody answers.
func (c *cluster) history(jobs []slots.Job) (list []slots.Record, ok bool) {
	for _, j := range jobs {
		var past struct {
			History []struct {
				Nominal, At time.Time
				LastSlot    string
				Attempt     int
				TaskID      string
				Outcome     string
				Reason      string
			}
		}
		if !c.chronosNative("/v2/jobs/"+j.Name+"/history?limit=10000", &past) {
			return nil, false
		}
		for _, h := range past.History {
			last, err := time.Parse(time.RFC3339Nano, h.LastSlot)
			if err != nil {
				last = h.Nominal
			}
			list = append(list, slots.Record{
				Job: j.Name, Nominal: h.Nominal.UnixMilli(), Last: last.UnixMilli(), Attempt: h.Attempt, Task: h.TaskID,
				Outcome: h.Outcome, Reason: h.Reason, At: h.At.UnixMilli(),
			})
		}
	}
	return list, true
}

// chronosNative reads what chronosish has beside Chronos's API; false: nobody answers.
func (c *cluster) chronosNative(path string, into any) bool {
	req, err := http.NewRequest(http.MethodGet, "http://"+c.addr()+"/service/chronosish"+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.SetBasicAuth("user", c.token())
	resp, err := c.web(5 * time.Second).Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK && json.Unmarshal(data, into) == nil
}

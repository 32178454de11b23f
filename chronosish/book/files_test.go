package book

import (
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
)

// TestFilesHaveValuesOfTheirOwn: half a mebibyte of random bytes travels inside a task, is
// kept in one value, is not written again by a change of something else, and goes with its job.
func TestFilesHaveValuesOfTheirOwn(t *testing.T) {
	w := newWorld(t.Fatalf)
	w.sized = true
	random := make([]byte, job.MaxInline)
	rand.New(rand.NewSource(1)).Read(random)
	file := func(name string, data []byte) job.Fetch {
		return job.Fetch{OutputFile: name}.WithData("data:;base64,", data)
	}
	script, small := file("x.sh", random[:job.MaxInline-8]), file("y", []byte("8 bytes!"))
	put := func(change func(*job.Job)) {
		t.Helper()
		j := &job.Job{Name: "a", Schedule: "R/2026-01-01T00:00:05Z/60", CPUs: 0.1, Fetch: []job.Fetch{{URI: "http://h/x"}, script, small}}
		if was := w.b.jobs["a"]; was != nil {
			j = was.job.Clone()
		}
		if change != nil {
			change(j)
		}
		if r := w.change(Change{Kind: Put, Jobs: []*job.Job{j}}); r.Refusal != nil {
			t.Fatal(r.Refusal)
		}
	}
	stored := func(want ...string) {
		t.Helper()
		var keys []string
		for _, k := range sortedKeys(w.store) {
			if strings.HasPrefix(k, keyFiles) {
				keys = append(keys, k)
			}
		}
		if !slices.Equal(keys, want) {
			t.Errorf("the store has %q", keys)
		}
	}
	put(nil)
	stored("files/a/1")
	if got := w.store["files/a/1"]; got != string(random[:job.MaxInline-8]) || len(w.store["jobs/a"]) > 2000 {
		t.Errorf("%d bytes are stored beside %d", len(got), len(w.store["jobs/a"]))
	}
	took := w.b.defined
	w.boot() // a chronosish that takes over
	if w.b.defined != took || took < job.MaxInline {
		t.Errorf("the definition takes %d bytes, and %d before", w.b.defined, took)
	}
	w.advance(10 * time.Second)
	if len(w.tasks) != 1 {
		t.Fatalf("%d tasks run", len(w.tasks))
	}
	for _, task := range w.tasks {
		if u := task.info.Command.URIs; len(u) != 3 || u[1].Value != script.URI || u[2].Value != small.URI {
			t.Errorf("the task fetches %d files", len(u))
		}
	}
	w.store["files/a/1"] = "as it was" // what is the same is not written
	put(func(j *job.Job) { j.Disabled = true })
	if got := w.store["files/a/1"]; got != "as it was" {
		t.Errorf("a change of something else writes %d bytes", len(got))
	}
	put(func(j *job.Job) { j.Fetch[1] = file("x.sh", random[1:]) })
	if got := w.store["files/a/1"]; got != string(random[1:]) {
		t.Errorf("another file is not written: %d bytes", len(got))
	}
	put(func(j *job.Job) { j.Fetch = []job.Fetch{file("z", random)} })
	stored("files/a/0")
	put(func(j *job.Job) { j.Fetch = nil })
	stored()
	put(func(j *job.Job) { j.Fetch = []job.Fetch{script} })
	if r := w.change(Change{Kind: Delete, Names: []string{"a"}}); r.Refusal != nil {
		t.Fatal(r.Refusal)
	}
	stored()
}

// TestChildrenInheritWithoutTheirFiles: the children of a job that is deleted are written
// together, and their files would not go into one transaction.
func TestChildrenInheritWithoutTheirFiles(t *testing.T) {
	w := newWorld(t.Fatalf)
	w.sized = true
	data := []byte(strings.Repeat("x", job.MaxInline))
	for _, j := range []*job.Job{{Name: "a", Schedule: "R/2026-01-01T00:00:05Z/60"}, {Name: "b", Parents: []string{"a"}}, {Name: "c", Parents: []string{"a"}}, {Name: "d", Parents: []string{"a"}}} {
		j.CPUs = 0.1
		j.Fetch = []job.Fetch{job.Fetch{OutputFile: "x"}.WithData("data:;base64,", data)}
		if r := w.change(Change{Kind: Put, Jobs: []*job.Job{j}}); r.Refusal != nil {
			t.Fatal(r.Refusal)
		}
	}
	if r := w.change(Change{Kind: Delete, Names: []string{"a"}}); r.Refusal != nil {
		t.Fatal(r.Refusal)
	}
	w.boot()
	for _, name := range []string{"b", "c", "d"} {
		if e := w.b.jobs[name]; e == nil || e.job.Dependent() || len(e.job.Fetch) != 1 || len(e.job.Fetch[0].URI) < job.MaxInline {
			t.Errorf("%s is %+v", name, e)
		}
	}
}

// TestLaunchesAreBounded: what travels inside tasks that are launched together is not more
// than a call may have.
func TestLaunchesAreBounded(t *testing.T) {
	w := newWorld(t.Fatalf)
	w.sized = true
	w.agents = []*machine{{name: "a1", cpus: 100_000}}
	data := []byte(strings.Repeat("x", job.MaxInline))
	for i := range 30 {
		j := &job.Job{Name: string(rune('A' + i)), Schedule: "R1/2026-01-01T00:00:05Z/60", CPUs: 0.1, Fetch: []job.Fetch{job.Fetch{OutputFile: "x"}.WithData("data:;base64,", data)}}
		if r := w.change(Change{Kind: Put, Jobs: []*job.Job{j}}); r.Refusal != nil {
			t.Fatal(r.Refusal)
		}
	}
	w.launched = func(tasks []sdk.TaskInfo) {
		n := 0
		for i := range tasks {
			n += len(tasks[i].Command.URIs[0].Value)
		}
		if n > maxInline {
			t.Errorf("%d tasks are launched together, with %d bytes", len(tasks), n)
		}
	}
	w.advance(30 * time.Second)
	if len(w.tasks) != 30 {
		t.Errorf("%d tasks run", len(w.tasks))
	}
}

// TestAFileThatIsGoneIsNamed: a definition without its file is not gone on with.
func TestAFileThatIsGoneIsNamed(t *testing.T) {
	w := newWorld(t.Fatalf)
	w.sized = true
	j := &job.Job{Name: "a", Schedule: "R/2026-01-01T00:00:05Z/60", Fetch: []job.Fetch{job.Fetch{}.WithData("data:;base64,", make([]byte, smallFile+1))}}
	w.change(Change{Kind: Put, Jobs: []*job.Job{j}})
	_, err := Load(w.now, w.opt, []sdk.StoreKV{{Key: "jobs/a", Value: []byte(w.store["jobs/a"])}})
	if err == nil || !strings.Contains(err.Error(), "jobs/a: its file 0 is not in the store") {
		t.Errorf("err = %v", err)
	}
}

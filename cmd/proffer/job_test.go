package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"

	chronosjob "github.com/profferhq/proffer/chronosish/job"
)

// TestJobScripts runs `proffer job …` against scripted answers in Chronos's shapes.
func TestJobScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/job", func(t *testing.T, path string) {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeMarathon{who: chronosName, answers: map[string][]answer{}}
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				return f.step(t, d)
			})
		})
	})
}

func TestFilesOfJobs(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want string // names in the order in which they are created, or the error
	}{
		"one":                      {`{"name":"a"}`, "a"},
		"a list":                   {"- name: a\n- name: b\n", "a b"},
		"parents come first":       {"[{name: c, parents: [b, other]}, {name: b, parents: [a]}, {name: a}, {name: d}]", "a d b c"},
		"a cycle is not ours":      {"[{name: a, parents: [b]}, {name: b, parents: [a]}, {name: c}]", "c a b"},
		"parents that are no list": {"{name: a, parents: 1}", "a"},
		"nothing":                  {" \n", "it is empty; a job's definition is expected"},
		"a comment alone":          {"# x\n", "it defines no job"},
		"no name":                  {"command: x\n", `a job has no name, such as "name": "report"`},
		"a name that is none":      {"name: 1\n", `a job has no name, such as "name": "report"`},
		"no object":                {"- 1\n", "a job is an object with a name"},
		"null":                     {"null", "a job is an object with a name"},
	} {
		docs, err := parseJobs([]byte(c.in))
		var names []string
		for _, d := range parentsFirst(docs) {
			names = append(names, d.name)
		}
		got := strings.Join(names, " ")
		if err != nil {
			got = err.Error()
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestFilesTravel: what is shipped stands beside what is fetched anyway.
func TestFilesTravel(t *testing.T) {
	script := filepath.Join(t.TempDir(), "x.sh")
	if err := os.WriteFile(script, []byte("true"), 0o755); err != nil {
		t.Fatal(err)
	}
	const ours = `{"executable":true,"extract":false,"output_file":"x.sh","uri":"data:;base64,dHJ1ZQ=="}`
	for in, want := range map[string]string{
		`{"name":"a"}`: `[` + ours + `]`,
		`{"name":"a","fetch":[{"uri":"/f"}],"uris":["/f"]}`:   `[{"uri":"/f"},` + ours + `]`,
		`{"name":"a","fetch":null,"uris":["http://h/x.tgz"]}`: `[{"extract":true,"uri":"http://h/x.tgz"},` + ours + `]`,
	} {
		docs, err := parseJobs([]byte(in))
		if err == nil {
			err = carry(docs, []string{script})
		}
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, string(docs[0].fields["fetch"])); d != "" || docs[0].fields["uris"] != nil {
			t.Errorf("%s: %s", in, d)
		}
		body, err := json.Marshal(docs[0].fields)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := chronosjob.Parse(body, chronosjob.Any, time.Now()); err != nil {
			t.Errorf("chronosish refuses %s: %v", body, err)
		}
	}
	docs, err := parseJobs([]byte(`{"name":"a","uris":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := carry(docs, []string{script}); codeOf(err) != exitUsage {
		t.Errorf("err = %v", err)
	}
}

func TestJobCompletion(t *testing.T) {
	f := &fakeMarathon{who: chronosName, answers: map[string][]answer{
		"GET /v1/scheduler/jobs/summary": {{status: 200, body: `{"jobs":[{"name":"split"},{"name":"count"},{"name":"sort"}]}`}}}}
	c, _, _ := f.serve()
	c.addr, c.token, c.dir = "m:5050", "secret", t.TempDir()
	cmd := jobGetCommand(c)
	cmd.SetContext(t.Context())
	got, _ := cmd.ValidArgsFunction(cmd, nil, "s")
	if d := cmp.Diff([]string{"split", "sort"}, got); d != "" {
		t.Error(d)
	}
	if got, _ := cmd.ValidArgsFunction(cmd, []string{"split"}, "s"); got != nil {
		t.Errorf("a second name is completed: %q", got)
	}
}

func FuzzParseJobs(f *testing.F) {
	for _, s := range []string{`{"name":"a","parents":["b"]}`, "name: a\n---\nname: b\n", "[{name: a}]", "- null", "\t"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := parseJobs(data)
		if err != nil && docs != nil || err == nil && len(docs) == 0 {
			t.Errorf("%q gave %d jobs and %v", data, len(docs), err)
		}
		if n := len(parentsFirst(docs)); n != len(docs) {
			t.Errorf("%q: %d of %d jobs are left in order", data, n, len(docs))
		}
	})
}

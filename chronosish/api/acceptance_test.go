package api

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// The tests of this file are the items of the acceptance minimum that want runs, over the
// real book. Of the others, 1, 2, 4, 10, 11 and 12 are in testdata/*.txt, 8 in
// dependents_test.go; what needs a cluster (12: another master answers, the challenge of
// 401) is in e2e.

func (r *real) is(what string, got, want any) {
	r.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestReplacedJobsKeepTheirPast is item 3: counts and history outlive a new definition,
// and a change of the kind.
func TestReplacedJobsKeepTheirPast(t *testing.T) {
	r := newReal(t)
	r.does("POST", "iso8601", `{"name":"p","command":"x","schedule":"R/2090-01-01T00:00:00Z/P1D"}`)
	r.does("POST", "iso8601", `{"name":"a","command":"x","schedule":"R2/2026-01-01T12:00:01Z/PT1S","retries":0}`)
	r.passes(time.Second)
	r.end("a", sdk.TaskFinished)
	r.passes(time.Second)
	r.end("a", sdk.TaskFailed)
	past := func() string {
		d := r.shown("a")
		var stat struct{ TaskStatHistory []taskStat }
		if err := json.Unmarshal([]byte(r.ask("GET", "job/stat/a", "")), &stat); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d %d %d %q %q %d %s", d.SuccessCount, d.ErrorCount, d.ErrorsSinceLastSuccess, d.LastSuccess, d.LastError, len(stat.TaskStatHistory), r.line("a"))
	}
	before := past()
	r.is("the past", before, `1 1 1 "2026-01-01T12:00:01.250Z" "2026-01-01T12:00:02.250Z" 2 node,a,failure,idle`)
	for _, change := range [][2]string{
		{"iso8601", `{"name":"a","command":"y","schedule":"R/2090-01-01T00:00:00Z/P1D","successCount":77,"errorCount":0,"lastError":""}`},
		{"dependency", `{"name":"a","command":"y","parents":["p"]}`},
		{"iso8601", `{"name":"a","command":"z","schedule":"0 0 1 1 *"}`},
	} {
		r.does("POST", change[0], change[1])
		r.is("after "+change[1], past(), before)
	}
	r.does("DELETE", "job/a", "")
	r.does("POST", "iso8601", `{"name":"a","command":"z","schedule":"0 0 1 1 *"}`)
	r.is("of another job of that name", past(), `0 0 0 "" "" 0 node,a,fresh,idle`)
}

// TestRepetitions is item 5: how often each form of a schedule runs, what is left of it
// then, and that only slots use it up.
func TestRepetitions(t *testing.T) {
	for _, c := range []struct {
		fields, left string
		runs         int
	}{
		{`"schedule":"R3//PT2S"`, "R0/2026-01-01T12:00:06.250Z/PT2S true", 3},
		{`"schedule":"R1//P"`, "R0/2026-01-01T12:00:00.250Z/PT0S true", 1},
		{`"schedule":"R1//PT0S"`, "R0/2026-01-01T12:00:00.250Z/PT0S true", 1},
		{`"schedule":"R1//PT2M"`, "R0/2026-01-01T12:02:00.250Z/PT2M true", 1},
		{`"schedule":"R0//PT0M"`, "R0/2026-01-01T12:00:00.250Z/PT0S true", 0},
		{`"owner":"a@b"`, "R0/2026-01-02T12:00:00.250Z/PT24H true", 1},
		{`"schedule":"R3//PT2S","disabled":true`, "R3/2026-01-01T12:00:00.250Z/PT2S true", 0},
		// The second slot fails twice, and is tried again; that uses nothing up.
		{`"schedule":"R2//PT6S","retries":5,"retryDelay":"PT0S","owner":"fails"`, "R0/2026-01-01T12:00:12.250Z/PT6S true", 4},
	} {
		r := newReal(t)
		r.does("POST", "iso8601", `{"name":"a","command":"x",`+c.fields+`}`)
		runs := 0
		for second := range 20 {
			r.passes(time.Second)
			state := sdk.TaskFinished
			if second < 2 && strings.Contains(c.fields, "fails") {
				state = sdk.TaskFailed
			}
			runs += r.end("a", state)
		}
		r.is(c.fields, runs, c.runs)
		r.is(c.fields, r.schedule("a"), c.left)
		r.does("PUT", "job/a", "")
		r.passes(0)
		r.is(c.fields+" by hand", r.end("a", sdk.TaskFinished), 1)
		r.is(c.fields+" by hand", r.schedule("a"), c.left)
	}
}

// TestShownSchedules is item 6: a schedule is shown in the form of Chronos, and its start is
// the next slot, whatever has become of the job.
func TestShownSchedules(t *testing.T) {
	form := regexp.MustCompile(`^R\d*/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)/P\S+$`)
	r := newReal(t)
	expect := func(what, want string) {
		t.Helper()
		r.is(what, r.schedule("a"), want)
		if shown, _, _ := strings.Cut(want, " "); !form.MatchString(shown) {
			t.Errorf("%s: %s has not the form", what, shown)
		}
	}
	put := func(fields string) { t.Helper(); r.does("POST", "iso8601", `{"name":"a","command":"x",`+fields+`}`) }
	put(`"schedule":"R5//PT1H","scheduleTimeZone":"Asia/Kathmandu"`)
	expect("starts now", "R4/2026-01-01T18:45:00.250+05:45/PT1H false")
	r.end("a", sdk.TaskFinished)
	expect("after one", "R4/2026-01-01T18:45:00.250+05:45/PT1H false")
	r.passes(time.Second)
	put(`"schedule":"R5//PT1H","scheduleTimeZone":"Asia/Kathmandu","disabled":true`)
	expect("anew, and disabled", "R5/2026-01-01T17:45:01.250+05:45/PT1H true")
	put(`"schedule":"R5/2026-01-01T10:00:00Z/PT1H"`)
	expect("what has passed is not the new schedule's", "R2/2026-01-01T13:00:00.000Z/PT1H false")
	r.passes(30 * time.Minute)
	put(`"schedule":"R5/2026-01-01T10:00:00Z/PT1H","disabled":true`)
	r.passes(24 * time.Hour)
	expect("disabled, slots go by", "R2/2026-01-01T13:00:00.000Z/PT1H true")
	put(`"schedule":"R5/2026-01-01T10:00:00Z/PT1H"`)
	expect("enabled when all have gone by", "R0/2026-01-01T15:00:00.000Z/PT1H true")
	put(`"schedule":"R3/2020-01-01T10:00:00Z/PT1H"`)
	expect("changed to what is past", "R0/2020-01-01T13:00:00.000Z/PT1H true")
	put(`"schedule":"R/2026-01-31T02:30:00Z/P1M","scheduleTimeZone":"Europe/Berlin"`)
	expect("months keep their anchor", "R/2026-01-31T02:30:00.000+01:00/P1M false")
	r.passes(65 * 24 * time.Hour)
	r.end("a", sdk.TaskFinished)
	expect("after February", "R/2026-03-31T02:30:00.000+02:00/P1M false")
	r.is("and it ran for February, and not for January, which was late", r.shown("a").SuccessCount, 2)
}

// TestRunNow is item 7: with arguments; while another run goes on; of a disabled job.
func TestRunNow(t *testing.T) {
	r := newReal(t)
	r.does("POST", "iso8601", `{"name":"a","command":"echo","arguments":["own"],"schedule":"R/2090-01-01T00:00:00Z/P1D","disabled":true}`)
	r.does("PUT", "job/a", "")
	r.does("PUT", "job/a?arguments=-v%20x%3B%20rm", "")
	r.passes(time.Second)
	r.is("one at a time, of a disabled job", len(r.of("a")), 1)
	r.is("its own arguments", r.of("a")[0].Command.Value, "echo own")
	r.is("both", r.line("a"), "node,a,fresh,1 running")
	r.end("a", sdk.TaskFinished)
	r.is("then the other", len(r.of("a")), 1)
	r.is("with those that were given", r.of("a")[0].Command.Value, "echo -v x rm")
	r.end("a", sdk.TaskFinished)
	r.is("none is lost", r.shown("a").SuccessCount, 2)
	r.does("POST", "iso8601", `{"name":"a","command":"echo","concurrent":true,"schedule":"R/2090-01-01T00:00:00Z/P1D"}`)
	for range 3 {
		r.does("PUT", "job/a", "")
	}
	r.passes(time.Second)
	r.is("concurrently", r.line("a"), "node,a,success,3 running")
}

// TestFailures is item 9: retries have a delay and a budget, a run has its time, and what is
// killed is over. (That async is not served is in testdata/refusals.txt.)
func TestFailures(t *testing.T) {
	r := newReal(t)
	r.does("POST", "iso8601", `{"name":"a","command":"x","retries":2,"retryDelay":"PT10S"}`)
	for attempt := range 3 {
		r.passes(9 * time.Second)
		if attempt > 0 {
			r.is("before the delay is over", len(r.of("a")), 0)
			r.is("it waits", r.line("a"), "node,a,fresh,queued")
			r.passes(time.Second)
		}
		if r.is("an attempt", len(r.of("a")), 1); len(r.of("a")) == 1 {
			env := map[string]string{}
			for _, v := range r.of("a")[0].Command.Environment.Variables {
				env[v.Name] = v.Value
			}
			r.is("its number", env["CHRONOS_JOB_RUN_ATTEMPT"], attempt)
			r.is("its slot", env["CHRONOS_JOB_RUN_TIME"], "1767268800250")
			r.is("its id", strings.HasPrefix(env["mesos_task_id"], fmt.Sprintf("ct:1767268800250:%d:a:", attempt)), true)
		}
		r.end("a", sdk.TaskFailed)
	}
	r.passes(time.Hour)
	r.is("no more", r.line("a"), "node,a,failure,idle")
	r.is("it counts once", fmt.Sprint(r.shown("a").ErrorCount, r.shown("a").ErrorsSinceLastSuccess), "1 1")

	r.does("POST", "iso8601", `{"name":"t","command":"x","retries":1,"retryDelay":"PT1S","maxCompletionTime":5}`)
	for range 2 {
		r.passes(time.Second)
		r.tell(r.of("t")[0], sdk.TaskRunning)
		r.passes(4 * time.Second)
		r.is("it has time", len(r.kills), 0)
		r.passes(time.Second)
		r.is("it has had its time", r.kills, []sdk.TaskID{r.of("t")[0].TaskID})
		r.kills = nil
		r.end("t", sdk.TaskKilled)
	}
	r.is("a time-out is a failure, and is tried again", r.shown("t").ErrorCount, 1)

	r.does("POST", "iso8601", `{"name":"k","command":"x","retries":5}`)
	r.passes(time.Second)
	r.does("DELETE", "task/kill/k", "")
	r.is("it is ended", r.kills, []sdk.TaskID{r.of("k")[0].TaskID})
	r.end("k", sdk.TaskKilled)
	r.passes(time.Hour)
	r.is("and is over, and counts as nothing", r.line("k")+fmt.Sprint(r.shown("k").ErrorCount), "node,k,fresh,idle0")
}

// TestASecondSyncChangesNothing is item 13. Chronos's tool for keeping jobs in files takes
// two definitions for the same when they agree in the fields of the file, but for the
// beginning of the schedule, which goes on.
func TestASecondSyncChangesNothing(t *testing.T) {
	files := []string{
		`{"name":"a","command":"x","schedule":"R5/2026-01-01T12:00:01Z/PT1S","epsilon":"PT5M","cpus":0.5,"owner":"a@b","async":false,"scheduleTimeZone":"","retries":2,"uris":[],"environmentVariables":[{"name":"A","value":"1"}]}`,
		`{"name":"once","command":"x","schedule":"R1/2026-01-01T12:00:01.000Z/P1D","disabled":false}`,
		`{"name":"c","command":"x","parents":["a","once"],"mem":64}`,
	}
	r := newReal(t)
	sync := func() (sent int) {
		body := r.ask("GET", "jobs", "")
		if strings.Contains(body, "\n") {
			t.Fatal("the tool reads one line")
		}
		var jobs []map[string]any
		if err := json.Unmarshal([]byte(body), &jobs); err != nil {
			t.Fatal(err)
		}
		begin := regexp.MustCompile(`^R\d*/[^/]*/`)
		for _, file := range files {
			var want map[string]any
			if err := json.Unmarshal([]byte(file), &want); err != nil {
				t.Fatal(err)
			}
			same := false
			for _, have := range jobs {
				if have["name"] != want["name"] {
					continue
				}
				same = true
				for key, v := range want {
					w := have[key]
					if key == "schedule" {
						v, w = begin.ReplaceAllString(v.(string), ""), begin.ReplaceAllString(w.(string), "")
					}
					if key == "disabled" && have["name"] == "once" {
						continue // its end disables it; the tool leaves this out of the comparison
					}
					if fmt.Sprint(v) != fmt.Sprint(w) {
						t.Errorf("%v: %s is %v, and %v in the file", have["name"], key, w, v)
						same = false
					}
				}
			}
			if !same {
				sent++
				r.does("POST", map[bool]string{true: "dependency", false: "iso8601"}[want["parents"] != nil], file)
			}
		}
		return sent
	}
	r.is("the first time", sync(), 3)
	r.is("at once again", sync(), 0)
	for range 3 {
		r.passes(time.Second)
		r.ends(sdk.TaskFinished)
		r.ends(sdk.TaskFinished)
	}
	r.is("runs", r.shown("a").SuccessCount, 3)
	at := r.revision
	r.is("after runs", sync(), 0)
	for _, file := range files { // and a tool that compares less well disturbs nothing
		r.does("POST", map[bool]string{true: "dependency", false: "iso8601"}[strings.Contains(file, "parents")], file)
	}
	r.is("what is stored, when all of it is sent again", r.revision-at, 0)
	r.passes(time.Second)
	r.is("the schedule goes on", r.line("a"), "node,a,success,1 running")
	r.is("what has ended stays so", r.line("once"), "node,once,success,idle")
}

package api

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// family makes jobs, name: parents; those without parents run by hand only.
func family(t *testing.T, lines ...string) *real {
	t.Helper()
	r := newReal(t)
	for _, line := range lines {
		name, parents, _ := strings.Cut(line, ":")
		r.put(name, strings.Fields(parents), "")
	}
	return r
}

// put makes a job, with more fields.
func (r *real) put(name string, parents []string, fields string) {
	r.t.Helper()
	if len(parents) == 0 {
		r.does("POST", "iso8601", fmt.Sprintf(`{"name":%q,"command":"x","schedule":"R/2090-01-01T00:00:00Z/P1D"%s}`, name, fields))
		return
	}
	r.does("POST", "dependency", fmt.Sprintf(`{"name":%q,"command":"x","parents":["%s"]%s}`, name, strings.Join(parents, `","`), fields))
}

// run lets a job run by hand, and end.
func (r *real) run(name string, state sdk.TaskState) {
	r.t.Helper()
	r.does("PUT", "job/"+name, "")
	r.passes(time.Second)
	r.is(name+" runs", r.end(name, state), 1)
}

// TestTwoParents: a child runs once after each of its parents has succeeded, whichever is
// the first, however often; what one of them did more is used up with it.
func TestTwoParents(t *testing.T) {
	r := family(t, "a", "b", "c: a b")
	for _, c := range []struct {
		parents string
		runs    int
	}{{"a", 0}, {"a", 0}, {"b", 1}, {"b", 0}, {"b", 0}, {"a", 1}, {"ab", 1}, {"ba", 1}} {
		for _, p := range c.parents {
			r.run(string(p), sdk.TaskFinished)
		}
		r.is("after "+c.parents, r.end("c", sdk.TaskFinished), c.runs)
	}
	r.run("a", sdk.TaskFinished)
	r.run("b", sdk.TaskFailed)
	r.is("after a parent's first failure", r.end("c", sdk.TaskFinished), 0)
	r.passes(2 * time.Minute)
	r.is("b is tried again", r.end("b", sdk.TaskFinished), 1)
	r.is("after its success then", r.end("c", sdk.TaskFinished), 1)
	var past struct{ History []recordDocument }
	w := r.send(httptest.NewRequest("GET", "/v2/jobs/c/history?limit=1", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &past); err != nil || len(past.History) != 1 || len(past.History[0].Parents) != 2 {
		t.Fatalf("%v: %s", err, w.Body)
	}
	for i, attempt := range []string{":0:a:", ":1:b:"} {
		r.is("the attempt that has caused it", strings.Contains(past.History[0].Parents[i], attempt), true)
	}
}

// TestTokensOutliveARestart: what parents have done counts in the next chronosish too, and
// does not count twice.
func TestTokensOutliveARestart(t *testing.T) {
	r := family(t, "a", "b", "c: a b", "d: c")
	r.run("a", sdk.TaskFinished)
	r.restart()
	r.is("before b", len(r.of("c")), 0)
	r.run("b", sdk.TaskFinished)
	r.is("c starts", len(r.of("c")), 1)
	r.restart()
	r.is("c goes on", r.line("c"), "node,c,fresh,1 running")
	r.is("it ends", r.end("c", sdk.TaskFinished), 1)
	r.restart()
	r.is("d starts", r.end("d", sdk.TaskFinished), 1)
	r.restart()
	r.run("b", sdk.TaskFinished)
	r.is("nothing is left of a", r.end("c", sdk.TaskFinished), 0)
	r.put("c", []string{"a", "b"}, `,"retries":0`) // a change keeps what b has done
	r.restart()
	r.run("a", sdk.TaskFinished)
	r.is("c starts again", r.end("c", sdk.TaskFinished), 1)
}

// TestMarkedSuccess: PUT job/success counts as a success, for the job and its children, and
// starts nothing of the job itself.
func TestMarkedSuccess(t *testing.T) {
	r := family(t, "a", "b", "c: a b", "d: c")
	mark := func(name string) {
		t.Helper()
		r.is("marked", r.ask("PUT", "job/success/"+name, ""), fmt.Sprintf(`"marked job %s as successful: true"`, name))
		r.passes(time.Second)
	}
	mark("a")
	r.is("of a", fmt.Sprint(r.line("a"), " ", r.shown("a").SuccessCount, " ", r.shown("a").LastSuccess), "node,a,success,idle 1 2026-01-01T12:00:00.250Z")
	r.restart()
	r.is("of a after a restart", r.shown("a").SuccessCount, 1)
	r.run("b", sdk.TaskFailed)
	mark("b") // while it waits to be tried again
	r.is("c starts", r.end("c", sdk.TaskFinished), 1)
	r.is("d starts", r.end("d", sdk.TaskFinished), 1)
	mark("c")
	r.is("d starts, and c does not", fmt.Sprint(r.end("c", sdk.TaskFinished), r.end("d", sdk.TaskFinished)), "0 1")
	r.is("a stranger", r.ask("PUT", "job/success/nobody", ""), `"marked job nobody as successful: false"`)
}

// TestSoftError: the failure of such a parent counts as a success for its children, when no
// retry is left.
func TestSoftError(t *testing.T) {
	for _, soft := range []bool{true, false} {
		r := family(t)
		r.put("a", nil, fmt.Sprintf(`,"softError":%v,"retries":1,"retryDelay":"PT1S"`, soft))
		r.put("c", []string{"a"}, "")
		r.run("a", sdk.TaskFailed)
		r.is("before the retry", r.end("c", sdk.TaskFinished), 0)
		r.passes(time.Second)
		r.is("the retry", r.end("a", sdk.TaskFailed), 1)
		r.is("after it", r.end("c", sdk.TaskFinished), map[bool]int{true: 1}[soft])
		r.is("a has failed all the same", r.line("a"), "node,a,failure,idle")
		r.does("PUT", "job/a", "")
		r.passes(time.Second)
		r.does("DELETE", "task/kill/a", "")
		r.end("a", sdk.TaskKilled)
		r.is("what is killed has no children", r.end("c", sdk.TaskFinished), 0)
	}
}

// TestDisabledRelatives: a disabled parent runs by hand, and its children after it; a disabled
// child loses its turn, and does not catch up.
func TestDisabledRelatives(t *testing.T) {
	r := family(t, "b")
	r.put("a", nil, `,"disabled":true`)
	r.put("c", []string{"a", "b"}, "")
	r.run("a", sdk.TaskFinished)
	r.run("b", sdk.TaskFinished)
	r.is("after a disabled parent", r.end("c", sdk.TaskFinished), 1)
	r.run("a", sdk.TaskFinished)
	r.put("c", []string{"a", "b"}, `,"disabled":true`)
	r.run("b", sdk.TaskFinished)
	r.is("while it is disabled", r.end("c", sdk.TaskFinished), 0)
	r.restart()
	r.put("c", []string{"a", "b"}, "")
	r.passes(time.Minute)
	r.is("it is not made up for", r.end("c", sdk.TaskFinished), 0)
	r.run("b", sdk.TaskFinished)
	r.is("a's turn is lost with it", r.end("c", sdk.TaskFinished), 0)
	r.run("a", sdk.TaskFinished)
	r.is("and then it goes on", r.end("c", sdk.TaskFinished), 1)
	r.put("c", []string{"a", "b"}, `,"disabled":true`)
	r.run("c", sdk.TaskFinished) // by hand it runs
}

// TestInheritance: the children of a job that is deleted get its parents in its place, and
// its schedule only where they have no other parent. All else of them stays.
func TestInheritance(t *testing.T) {
	r := family(t, "a", "b", "m: a b", "c: m a", "d: m")
	r.does("POST", "iso8601", `{"name":"s","command":"x","schedule":"R3/2026-01-01T13:00:00Z/PT1H","scheduleTimeZone":"Europe/Berlin"}`)
	r.put("e", []string{"s"}, `,"owner":"eva@example.org","retries":7,"epsilon":"PT5M","environmentVariables":[{"name":"A","value":"1"}]`)
	r.put("f", []string{"s", "a"}, "")
	parents := func(name string) string { return strings.Join(r.shown(name).Parents, " ") }

	r.run("a", sdk.TaskFinished)
	r.does("DELETE", "job/m", "")
	r.is("c has a once", parents("c"), "a b")
	r.is("d has both", parents("d"), "a b")
	r.run("b", sdk.TaskFinished)
	r.is("what a did before counts for who had it", r.end("c", sdk.TaskFinished), 1)
	r.is("and not for who did not", r.end("d", sdk.TaskFinished), 0)

	before := r.shown("e")
	r.is("the first slot, which is at 12:00 in UTC", r.end("s", sdk.TaskFinished), 1)
	r.is("and the child", r.end("e", sdk.TaskFinished), 1)
	left := r.schedule("s")
	r.does("DELETE", "job/s", "")
	r.is("f keeps its other parent", parents("f")+fmt.Sprint(r.shown("f").Schedule == nil), "atrue")
	after := r.shown("e")
	r.is("e has the schedule, from where it is", r.schedule("e"), left)
	r.is("and the zone", *after.Zone, "Europe/Berlin")
	r.is("and no parent", len(after.Parents), 0)
	r.is("all else stays", fmt.Sprint(after.Owner, after.Retries, after.Epsilon, after.Env), fmt.Sprint(before.Owner, before.Retries, before.Epsilon, before.Env))
	r.is("its count too", after.SuccessCount, 1)
	r.restart()
	r.is("e after a restart", r.schedule("e"), left)
	runs := 0
	for range 60 {
		r.passes(5 * time.Minute)
		runs += r.end("e", sdk.TaskFinished)
	}
	r.is("e runs as often as s would have", runs, 2)
	r.is("and has ended then", r.shown("e").Disabled, true)

	r.does("POST", "iso8601", `{"name":"n","command":"x","schedule":"R5//PT1H"}`)
	r.passes(time.Minute)
	r.put("o", []string{"n"}, "")
	r.passes(90 * time.Minute)
	left = r.schedule("n")
	r.does("DELETE", "job/n", "")
	r.is("what started then goes on from then", r.schedule("o"), left)
}

// TestADeletedParentEndsWithItsRuns: what ran of it is ended, and tells nobody anything.
func TestADeletedParentEndsWithItsRuns(t *testing.T) {
	r := family(t, "a", "b", "c: a b")
	r.run("b", sdk.TaskFinished)
	r.does("PUT", "job/a", "")
	r.passes(time.Second)
	id := r.of("a")[0].TaskID
	r.does("DELETE", "job/a", "")
	r.is("it is ended", r.kills, []sdk.TaskID{id})
	r.is("c is b's alone", strings.Join(r.shown("c").Parents, " "), "b")
	r.end("a", sdk.TaskFinished)
	r.passes(time.Minute)
	r.is("nobody starts of it", r.end("c", sdk.TaskFinished), 0)
	r.run("b", sdk.TaskFinished)
	r.is("c starts after b", r.end("c", sdk.TaskFinished), 1)
}

package api

import (
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// TestOverABook: a job's life as clients see it, over the real book.
func TestOverABook(t *testing.T) {
	r := newReal(t)
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Fatalf("%s: %s, want %s", what, got, want)
		}
	}
	check("made", r.ask("POST", "iso8601", `{"name":"a","command":"x","schedule":"R3/2026-01-01T12:00:02Z/PT2S"}`), "204")
	check("a child", r.ask("POST", "dependency", `{"name":"c","command":"x","parents":["a"]}`), "204")
	check("a cycle", r.ask("POST", "dependency", `{"name":"a","command":"x","parents":["c"]}`), `{"message":"The parents of a would make a cycle: a → c → a. Leave one of them out.","status":"Bad Request"}`)
	check("before", r.schedule("a"), "R3/2026-01-01T12:00:02.000Z/PT2S false")
	first := r.ask("GET", "job/a", "")
	for i := range 3 {
		r.passes(2 * time.Second)
		check("at the slot", r.line("a"), map[bool]string{true: "node,a,fresh,1 running", false: "node,a,success,1 running"}[i == 0])
		r.ends(sdk.TaskFinished) // the parent
		check("after the slot", r.line("a"), "node,a,success,idle")
		check("the child starts", r.line("c"), map[bool]string{true: "node,c,fresh,1 running", false: "node,c,success,1 running"}[i == 0])
		r.ends(sdk.TaskFinished) // the child
		if i == 0 {
			check("what was shown goes on", r.ask("POST", "iso8601", first), "204")
			check("after one", r.schedule("a"), "R2/2026-01-01T12:00:04.000Z/PT2S false")
		}
	}
	check("at the end", r.schedule("a"), "R0/2026-01-01T12:00:08.000Z/PT2S true")
	check("what has ended is sent back", r.ask("POST", "iso8601", r.ask("GET", "job/a", "")), "204")
	r.passes(time.Minute)
	check("nothing runs any more", r.line("a"), "node,a,success,idle")
	check("run now", r.ask("PUT", "job/a", ""), "204")
	r.passes(0)
	check("running by hand", r.line("a"), "node,a,success,1 running")
	r.ends(sdk.TaskFailed)
	check("killed", r.ask("DELETE", "task/kill/a", ""), "204")
	check("starts now", r.ask("POST", "iso8601", `{"name":"now","command":"x","schedule":"R1//PT2M"}`), "204")
	r.passes(time.Second)
	check("it does", r.line("now"), "node,now,fresh,1 running")
	r.ends(sdk.TaskFinished)
	r.passes(time.Second)
	check("and again", r.ask("POST", "iso8601", `{"name":"now","command":"x","schedule":"R1//PT2M"}`), "204")
	r.passes(time.Second)
	check("it does again", r.line("now"), "node,now,success,1 running")
	r.ends(sdk.TaskFinished)
	check("a dependent job becomes one that starts now", r.ask("POST", "iso8601", `{"name":"c","command":"x"}`), "204")
	r.passes(time.Second)
	check("it starts", r.line("c"), "node,c,success,1 running")
	check("deleted", r.ask("DELETE", "job/a", ""), "204")
	check("gone", r.ask("GET", "job/a", ""), `{"message":"There is no job named \"a\".","status":"Bad Request"}`)
}

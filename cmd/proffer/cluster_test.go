package main

import (
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// An even number of masters is told, with what it can lose.
func TestOddAdvice(t *testing.T) {
	for voters, want := range map[int]string{0: "", 1: "", 3: "", 5: "", 2: "no more of them than 1 could (0)", 4: "no more of them than 3 could (1)"} {
		if got := oddAdvice(voters); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%d masters: %q", voters, got)
		}
	}
}

// A master that was added is known by the address that join was given, or because it did
// not vote before.
func TestJoined(t *testing.T) {
	votes := func(names ...string) *sdk.Masters {
		m := &sdk.Masters{}
		for _, n := range names {
			m.Masters = append(m.Masters, sdk.MasterMember{Name: n, Raft: n + ":5052", Voter: true})
		}
		return m
	}
	late := votes("late")
	late.Masters[0].Voter, late.Masters[0].Waiting = false, true
	for what, c := range map[string]struct {
		before, now *sdk.Masters
		address     string
		want        string
	}{
		"the same address":            {votes("a"), votes("a", "b"), "b:5052", "b"},
		"another address":             {votes("a"), votes("a", "b"), "10.0.0.2:5052", "b"},
		"it voted before":             {votes("a", "b"), votes("a", "b"), "b:5052", "b"},
		"not yet":                     {votes("a"), votes("a"), "10.0.0.2:5052", ""},
		"one that waits was asked":    {late, votes("a", "b"), "10.0.0.2:5052", ""},
		"another one came, too":       {votes("a"), votes("a", "b", "c"), "b:5052", "b"},
		"no vote, by the address too": {votes("a"), late, "late:5052", ""},
	} {
		if got := joined(c.before, c.now, c.address); got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

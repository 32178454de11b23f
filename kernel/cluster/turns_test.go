package cluster

import (
	"fmt"
	"testing"
	"time"
)

// TestTurnsOfThoseThatCameBack: agents that wait for the rate of removals and speak again
// take no turn. The next one that falls silent is given up after its time, and one pause
// of the rate at the most.
func TestTurnsOfThoseThatCameBack(t *testing.T) {
	const many, pause = 12, time.Minute
	w := newWorld()
	do := func(format string, args ...any) {
		t.Helper()
		if err := w.do(fmt.Sprintf(format, args...)); err != nil {
			t.Fatal(err)
		}
	}
	do("options mass=1 rate=1/%s", pause)
	do("elect")
	for i := range many {
		do("agent b%d cpus:1;mem:64", i)
	}
	do("advance %s", w.c.opt.AgentTimeout+time.Second)
	for i := range many { // one is lost; the others wait
		do("register b%d", i)
	}
	began := w.now
	lost := func(i int) bool { return w.c.agents[w.agents[fmt.Sprintf("b%d", i)].id].state == agentUnreachable }
	for !lost(5) {
		do("advance %s", w.c.opt.AgentTimeout/4)
		for i := range many {
			if i != 5 {
				do("heartbeat b%d", i)
			}
		}
		if most := w.c.opt.AgentTimeout + pause; w.now.Sub(began) > most+w.c.opt.AgentTimeout/4 {
			t.Fatalf("it is not given up after %s", w.now.Sub(began))
		}
	}
	for i := range many {
		if i != 5 && lost(i) {
			t.Errorf("b%d is given up, and speaks", i)
		}
	}
	if len(w.c.turns) != 0 {
		t.Errorf("%d wait for a turn", len(w.c.turns))
	}
	// Each has one alarm about its silence, however often it registered.
	for range 50 {
		do("register b0")
	}
	do("advance %s", w.c.opt.AgentTimeout*2)
	if n := len(w.c.alarms.heap); n > 5*many {
		t.Errorf("%d alarms are set", n)
	}
}

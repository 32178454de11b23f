package cluster

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/kernel/registry"
)

// TestGuardAgainstMassRemoval: of any number of agents any part falls silent within one
// heartbeat. Up to the share, or one alone, all of them become unreachable; above it none
// does, before the wait is over, and then all do. Those that speak never do.
func TestGuardAgainstMassRemoval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		w.opt.MassShare = rapid.SampledFrom([]float64{0.1, 0.3, 0.5, 0.9}).Draw(t, "share")
		w.opt.MassWait = 30 * time.Second
		w.elect()
		n := rapid.IntRange(1, 10).Draw(t, "agents")
		k := rapid.IntRange(0, n).Draw(t, "silent")
		for i := range n {
			if err := w.do(fmt.Sprintf("agent a%d cpus:1;mem:64", i)); err != nil {
				t.Fatal(err)
			}
		}
		last := map[int]time.Time{} // when the silent ones speak last
		for i := range k {
			last[i] = w.now.Add(time.Duration(rapid.IntRange(0, 2400).Draw(t, "ms")) * time.Millisecond)
		}
		lost := func() (silent, speaking int) {
			for i := range n {
				known, _ := w.reg.Agent(w.agents[fmt.Sprintf("a%d", i)].id)
				switch _, quiet := last[i]; {
				case known.State == registry.AgentAdmitted:
				case quiet:
					silent++
				default:
					speaking++
				}
			}
			return silent, speaking
		}
		live := func(d time.Duration) {
			for end := w.now.Add(d); w.now.Before(end); {
				w.advance(800 * time.Millisecond)
				for i := range n {
					if at, quiet := last[i]; quiet && w.now.After(at) {
						continue
					}
					if err := w.do(fmt.Sprintf("heartbeat a%d", i)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		mass := k >= 2 && float64(k) > w.opt.MassShare*float64(n)
		live(30 * time.Second)
		if silent, speaking := lost(); speaking > 0 || silent > 0 == mass && k > 0 || !mass && silent != k {
			t.Fatalf("%d of %d are silent, the share is %g: %d of them and %d others are lost", k, n, w.opt.MassShare, silent, speaking)
		}
		live(w.opt.MassWait)
		if silent, speaking := lost(); speaking > 0 || silent != k {
			t.Fatalf("after the wait: %d of %d and %d others are lost", silent, k, speaking)
		}
	})
}

package allocator_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/sdk"
)

// hungry is a framework that wants as many tasks of one size as it can get.
type hungry struct {
	id, role string
	cpus     int64 // thousandths
	mem      int64
}

// fill is progressive filling by dominant resource fairness, the obvious way:
// everything is summed up anew for every task. It answers who got how many.
func fill(cpus, mem int64, all []hungry, weights map[string]float64) map[string]int {
	tasks, full, last, turn := map[string]int{}, map[string]bool{}, map[string]int{}, 0
	for {
		children := map[string]map[string]bool{}
		usedCPU, usedMem, owner := map[string]int64{}, map[string]int64{}, map[string]hungry{}
		var sumCPU, sumMem int64
		for _, h := range all {
			for _, at := range ancestors(h) {
				usedCPU[at] += int64(tasks[h.id]) * h.cpus
				usedMem[at] += int64(tasks[h.id]) * h.mem
				if parent := at[:strings.LastIndexByte(at, '/')]; !full[h.id] {
					if children[parent] == nil {
						children[parent] = map[string]bool{}
					}
					children[parent][at] = true
				}
				owner[at] = h
			}
			sumCPU, sumMem = sumCPU+int64(tasks[h.id])*h.cpus, sumMem+int64(tasks[h.id])*h.mem
		}
		at := ""
		for len(children[at]) > 0 {
			share := func(x string) float64 {
				w := weights[strings.TrimPrefix(x, "/")]
				if w == 0 || strings.HasSuffix(x, "/.") {
					w = 1
				}
				return max(float64(usedCPU[x])/float64(cpus), float64(usedMem[x])/float64(mem)) / w
			}
			at = slices.MinFunc(slices.Sorted(maps.Keys(children[at])), func(x, y string) int {
				return cmp.Or(cmp.Compare(share(x), share(y)), cmp.Compare(last[x], last[y]), cmp.Compare(x, y))
			})
		}
		if at == "" {
			return tasks
		}
		h := owner[at]
		turn++
		for _, node := range ancestors(h) {
			last[node] = turn
		}
		if sumCPU+h.cpus > cpus || sumMem+h.mem > mem {
			full[h.id] = true
			continue
		}
		tasks[h.id]++
	}
}

// ancestors is the places of a framework in the tree: its role's path, the own
// frameworks of that role, itself.
func ancestors(h hungry) []string {
	var out []string
	at := ""
	for part := range strings.SplitSeq(h.role, "/") {
		at += "/" + part
		out = append(out, at)
	}
	return append(out, at+"/.", at+"/./"+h.id)
}

// TestAgainstOracle gives the same hungry frameworks to the allocator: each takes
// one task out of an offer, and declines for good what is too small.
func TestAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cpus, mem := rapid.Int64Range(2000, 20000).Draw(t, "cpus"), rapid.Int64Range(2000, 20000).Draw(t, "mem")
		roles := []string{"a", "a/x", "a/y", "b", "b/x/z", "c"}
		weights := map[string]float64{}
		for _, role := range roles {
			weights[role] = float64(rapid.IntRange(1, 3).Draw(t, "weight"))
		}
		var all []hungry
		for i := range rapid.IntRange(1, 6).Draw(t, "frameworks") {
			all = append(all, hungry{
				id: fmt.Sprintf("f%d", i), role: rapid.SampledFrom(roles).Draw(t, "role"),
				cpus: rapid.Int64Range(100, 2000).Draw(t, "cpus"), mem: rapid.Int64Range(100, 2000).Draw(t, "mem"),
			})
		}
		want := fill(cpus, mem, all, weights)
		got := feast(t, cpus, mem, all, weights)
		for _, h := range all {
			if got[h.id] != want[h.id] {
				t.Fatalf("%s in %s has %d tasks, the oracle says %d (all: %v, oracle %v)", h.id, h.role, got[h.id], want[h.id], got, want)
			}
		}
	})
}

// feast runs the allocator until nobody takes anything any more.
func feast(t *rapid.T, cpus, mem int64, all []hungry, weights map[string]float64) map[string]int {
	least := sdk.Resources{sdk.NewScalar("cpus", 0.001)}
	a := allocator.New(allocator.Options{Weights: weights, MinAllocatable: []sdk.Resources{least, {sdk.NewScalar("mem", 0.001)}}})
	amount := func(cpus, mem int64) sdk.Resources {
		return sdk.Resources{sdk.NewScalar("cpus", sdk.FromMillis(cpus)), sdk.NewScalar("mem", sdk.FromMillis(mem))}
	}
	a.AddAgent(allocator.Agent{ID: "agent", Total: amount(cpus, mem)}, nil)
	size, tasks := map[sdk.FrameworkID]sdk.Resources{}, map[string]int{}
	for _, h := range all {
		size[sdk.FrameworkID(h.id)] = amount(h.cpus, h.mem)
		a.AddFramework(allocator.Framework{ID: sdk.FrameworkID(h.id), Roles: []string{h.role}})
	}
	now := time.Unix(0, 0)
	rounds := 0
	for offers := a.Allocate(now); len(offers) > 0; offers = a.Allocate(now) {
		if rounds++; rounds > 10_000 {
			t.Fatal("declined resources are offered for ever")
		}
		o := offers[0]
		if len(offers) != 1 {
			t.Fatalf("%d offers of one agent", len(offers))
		}
		var err error
		if task := size[o.Framework]; o.Resources.WithoutAllocation().Contains(task) {
			tasks[string(o.Framework)]++
			err = a.Accept(now, o.Holder, o.Resources, task, 0)
		} else {
			err = a.Recover(now, o.Holder, o.Resources, time.Hour)
		}
		if err == nil {
			err = a.Check()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return tasks
}

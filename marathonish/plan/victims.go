package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/profferhq/proffer/marathonish/app"
)

// victims orders those of candidates (indexes into live) that may have to go, the
// first to go first. live are all instances that count. The order is
//
//  1. those whose index a better one has too,
//  2. those whose index is not below n (unless the oldest are to go first: then the
//     operator has said what matters more),
//  3. by state: unreachable, staging, starting, running; not ready before ready,
//  4. of another config before the wanted one,
//  5. by killSelection.
func (w *Wanted) victims(live []*Instance, candidates []*Instance) []*Instance {
	best := map[int]*Instance{}
	for _, i := range live {
		if b := best[i.Index]; b == nil || w.worth(i, b) > 0 {
			best[i.Index] = i
		}
	}
	rank := func(i *Instance) int {
		switch {
		case best[i.Index] != i:
			return 0
		case i.Index >= w.Instances && w.KillSelection != app.OldestFirst:
			return 1
		}
		return 2
	}
	sorted := slices.Clone(candidates)
	slices.SortFunc(sorted, func(a, b *Instance) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), w.worth(a, b))
	})
	return sorted
}

// worth compares what two instances are worth, whatever their indexes.
func (w *Wanted) worth(a, b *Instance) int {
	age := a.Since.Compare(b.Since) // positive: a is younger
	if w.KillSelection != app.OldestFirst {
		age = -age
	}
	return cmp.Or(
		cmp.Compare(a.State, b.State),
		boolean(a.Ready, b.Ready),
		boolean(a.Config == w.Config, b.Config == w.Config),
		age,
		-strings.Compare(string(a.Task), string(b.Task)),
	)
}

func boolean(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

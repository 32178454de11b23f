package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
)

// Decide tells what has to be done now. have are the app's instances that have not
// ended, in any order.
func Decide(now time.Time, want Wanted, have []Instance) Decision {
	v := survey(now, &want, have)
	d := Decision{Wake: want.wake(now, have)}
	for i := range have {
		if want.expunged(now, &have[i]) {
			d.Expunge = append(d.Expunge, have[i].Task)
		}
	}
	if want.Stop {
		v.stop(&d)
		return d
	}
	v.kills(&d)
	v.launches(&d)
	d.Done = v.done() && len(d.Kill) == 0 && len(d.Launch) == 0
	if !d.Done {
		d.Waits = v.waits()
	}
	return d
}

// view is what there is, sorted into what it counts for.
type view struct {
	want           *Wanted
	floor, ceiling int
	present        int         // all but those lost for long enough to be replaced
	live           []*Instance // present, and not doomed
	good, old      []*Instance // live: with the wanted config, or with another one
	ending         []*Instance // present and doomed
	lost           int         // replaced because their agent is silent
	unconfirmed    int
	rolling        bool // something is replaced
}

func survey(now time.Time, want *Wanted, have []Instance) *view {
	v := &view{want: want}
	v.floor, v.ceiling = Bounds(want.Instances, want.Upgrade)
	for k := range have {
		i := &have[k]
		if i.Unconfirmed {
			v.unconfirmed++
		}
		if want.inactive(now, i) {
			v.lost++
			continue
		}
		v.present++
		outdated := want.Replace && i.Config != want.Config
		v.rolling = v.rolling || outdated
		switch {
		case i.Doomed:
			v.ending = append(v.ending, i)
		case outdated:
			v.old = append(v.old, i)
			v.live = append(v.live, i)
		default:
			v.good = append(v.good, i)
			v.live = append(v.live, i)
		}
	}
	if !v.rolling {
		v.ceiling = want.Instances
	}
	return v
}

func (v *view) ready() int { return ready(v.live) }

func ready(list []*Instance) int {
	n := 0
	for _, i := range list {
		if i.Ready {
			n++
		}
	}
	return n
}

// kills chooses who has to go. Nobody goes before all instances of the app are
// accounted for.
func (v *view) kills(d *Decision) {
	if v.unconfirmed > 0 {
		return
	}
	n := v.want.Instances
	healthy := v.ready()
	doom := func(i *Instance, format string, args ...any) {
		d.Kill = append(d.Kill, Kill{Task: i.Task, Reason: fmt.Sprintf(format, args...)})
		if i.Ready {
			healthy--
		}
	}
	if surplus := len(v.good) - n; surplus > 0 {
		for _, i := range v.want.victims(v.live, v.good)[:surplus] {
			if v.rolling && i.Ready && healthy <= v.floor {
				continue
			}
			doom(i, "one of %d, of which %d are wanted", len(v.live), n)
		}
	}
	v.twins(d, doom)
	// What is not ready is spared while it may still be needed for the floor and
	// stands in nobody's way.
	blocked := v.present >= v.ceiling && len(v.good) < n
	for _, i := range v.want.victims(v.live, v.old) {
		switch {
		case i.Ready && healthy > v.floor, !i.Ready && (healthy >= v.floor || blocked):
			doom(i, "its version of %s gives way to that of %s", i.Config, v.want.Config)
		}
	}
}

// twins ends the worse of two instances of one config that have the same index: one
// came back from an agent that was given up.
func (v *view) twins(d *Decision, doom func(*Instance, string, ...any)) {
	type place struct {
		index  int
		config app.Version
	}
	best := make(map[place]*Instance, len(v.good))
	for _, i := range v.good {
		best[place{i.Index, i.Config}] = i
	}
	if len(best) == len(v.good) {
		return
	}
	clear(best)
	for _, i := range v.want.victims(v.live, v.good) { // the best come last
		key := place{i.Index, i.Config}
		twin := best[key]
		best[key] = i
		if twin != nil && !slices.ContainsFunc(d.Kill, func(k Kill) bool { return k.Task == twin.Task }) {
			doom(twin, "%s has its index too", i.Task)
		}
	}
}

// launches chooses the indexes to launch under: those that no instance of the
// wanted config has, first those that nobody has.
func (v *view) launches(d *Decision) {
	n := v.want.Instances
	room := min(n-len(v.good), v.ceiling-v.present)
	if room <= 0 {
		return
	}
	taken, held := map[int]bool{}, map[int]bool{}
	for _, i := range v.good {
		taken[i.Index] = true
	}
	for _, i := range v.old {
		held[i.Index] = true
	}
	for _, i := range v.ending {
		if !v.want.Replace || i.Config == v.want.Config {
			taken[i.Index] = true // the replacement waits until it has ended
		} else {
			held[i.Index] = true
		}
	}
	for _, second := range []bool{false, true} {
		for index := range n {
			if len(d.Launch) < room && !taken[index] && held[index] == second {
				d.Launch = append(d.Launch, index)
			}
		}
	}
	slices.Sort(d.Launch)
}

func (v *view) done() bool {
	return len(v.good) == v.want.Instances && len(v.old)+len(v.ending) == 0 && ready(v.good) == len(v.good)
}

// stop ends all. Instances on silent agents are not waited for: they are ended when
// they come back.
func (v *view) stop(d *Decision) {
	waiting := 0
	for _, i := range slices.Concat(v.live, v.ending) {
		if i.State != Unreachable {
			waiting++
		}
	}
	if v.unconfirmed == 0 {
		for _, i := range v.live {
			d.Kill = append(d.Kill, Kill{Task: i.Task, Reason: "the app was destroyed"})
		}
	}
	d.Done = waiting == 0 && len(d.Kill) == 0 && v.unconfirmed == 0
	if !d.Done {
		d.Waits = fmt.Sprintf("waits for the end of %d more", max(waiting, v.unconfirmed))
	}
}

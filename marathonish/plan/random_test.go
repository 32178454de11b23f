package plan

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// fleet carries out what Decide says about one app, one thing at a time and in any
// order, while things happen to its instances.
type fleet struct {
	t        *rapid.T
	now      time.Time
	want     Wanted
	have     []Instance
	tasks    int
	returned bool // an instance came back that had a replacement
	excess   int  // instances above the ceiling when what is wanted was last changed
}

func (f *fleet) find(task sdk.TaskID) *Instance {
	i := slices.IndexFunc(f.have, func(i Instance) bool { return i.Task == task })
	if i < 0 {
		f.t.Fatalf("decides about %s, which is not there", task)
	}
	return &f.have[i]
}

// obey does all that is decided, and checks each step the slow way.
func (f *fleet) obey() Decision {
	d := Decide(f.now, f.want, slices.Clone(f.have))
	for _, k := range d.Kill {
		i := f.find(k.Task)
		if i.Doomed || k.Reason == "" {
			f.t.Fatalf("kills %s, doomed %t, for %q", k.Task, i.Doomed, k.Reason)
		}
		if slices.ContainsFunc(f.have, func(i Instance) bool { return i.Unconfirmed }) {
			f.t.Fatalf("kills %s before all are accounted for", k.Task)
		}
		i.Doomed = true
		if floor := slowFloor(f.want); f.rolling() && i.Ready && f.ready() < floor {
			f.t.Fatalf("killing %s leaves %d ready, the floor is %d", k.Task, f.ready(), floor)
		}
	}
	for _, index := range d.Launch {
		f.tasks++
		f.have = append(f.have, Instance{Task: sdk.TaskID(fmt.Sprintf("t%03d", f.tasks)), Index: index, Config: f.want.Config, State: Staging, Since: f.now})
		if n, most := f.counting(), slowCeiling(f.want, f.rolling()); n > max(most, f.excess) {
			f.t.Fatalf("launching makes %d instances, the ceiling is %d", n, most)
		}
	}
	for _, task := range d.Expunge {
		f.find(task)
		f.have = slices.DeleteFunc(f.have, func(i Instance) bool { return i.Task == task })
	}
	f.indexes()
	return d
}

// indexes: instances of one config that count have each an index of their own.
func (f *fleet) indexes() {
	seen := map[string]sdk.TaskID{}
	for _, i := range f.have {
		key := fmt.Sprint(i.Config, i.Index)
		if i.State == Unreachable || i.Doomed || !f.want.Replace && i.Config != f.want.Config {
			continue
		}
		if other, ok := seen[key]; ok && f.want.Replace && i.Since != f.find(other).Since && !f.returned {
			f.t.Fatalf("%s and %s have both index %d", i.Task, other, i.Index)
		}
		seen[key] = i.Task
	}
}

func (f *fleet) rolling() bool {
	return f.want.Replace && slices.ContainsFunc(f.have, func(i Instance) bool { return i.Config != f.want.Config && !f.given(i) })
}

func (f *fleet) given(i Instance) bool {
	return i.State == Unreachable && f.want.Unreachable != nil && f.now.Sub(i.Lost) >= seconds(f.want.Unreachable.InactiveAfter)
}

func (f *fleet) ready() int {
	n := 0
	for _, i := range f.have {
		if i.Ready && !i.Doomed && i.State == Running {
			n++
		}
	}
	return n
}

func (f *fleet) counting() int {
	n := 0
	for _, i := range f.have {
		if !f.given(i) {
			n++
		}
	}
	return n
}

// slowFloor and slowCeiling count up instead of rounding.
func slowFloor(w Wanted) int {
	for k := 0; ; k++ {
		if float64(k)+1e-6 >= float64(w.Instances)*w.Upgrade.MinimumHealthCapacity {
			return k
		}
	}
}

func slowCeiling(w Wanted, rolling bool) int {
	if !rolling {
		return w.Instances
	}
	k := 0
	for float64(k+1) <= float64(w.Instances)+float64(w.Instances)*w.Upgrade.MaximumOverCapacity+1e-6 {
		k++
	}
	if k == slowFloor(w) && w.Instances > 0 {
		k++
	}
	return k
}

// retarget changes what is wanted.
func (f *fleet) retarget() {
	f.want.Instances = rapid.IntRange(0, 6).Draw(f.t, "instances")
	f.want.Replace = rapid.Bool().Draw(f.t, "replace")
	if f.want.Replace {
		f.want.Config = app.Version(rapid.SampledFrom([]string{"v1", "v2", "v3"}).Draw(f.t, "config"))
	}
	f.want.Upgrade.MinimumHealthCapacity = float64(rapid.IntRange(0, 10).Draw(f.t, "min")) / 10
	f.want.Upgrade.MaximumOverCapacity = float64(rapid.IntRange(0, 10).Draw(f.t, "over")) / 10
	f.want.KillSelection = rapid.SampledFrom([]app.KillSelection{app.YoungestFirst, app.OldestFirst}).Draw(f.t, "selection")
	f.excess = f.counting()
}

// happen lets one thing happen to one instance.
func (f *fleet) happen() {
	if len(f.have) == 0 {
		return
	}
	k := rapid.IntRange(0, len(f.have)-1).Draw(f.t, "which")
	i := &f.have[k]
	switch rapid.SampledFrom([]string{"run", "run", "ready", "ready", "sick", "die", "lose", "back", "forget"}).Draw(f.t, "what") {
	case "run":
		f.proceed(i)
	case "ready":
		i.Ready = i.State == Running
	case "sick":
		i.Ready = false
	case "die":
		f.have = slices.Delete(f.have, k, k+1)
	case "lose":
		i.State, i.Ready, i.Lost = Unreachable, false, f.now
	case "back":
		if i.State == Unreachable {
			i.State, f.returned = Running, true
			f.excess = max(f.excess, f.counting())
		}
	case "forget":
		i.Unconfirmed, i.Ready = !i.Unconfirmed, false
	}
}

func (f *fleet) proceed(i *Instance) {
	if i.State == Staging || i.State == Starting {
		i.State++
	}
}

func TestRandomFleet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &fleet{t: t, now: start, want: Wanted{Config: "v1"}}
		if rapid.Bool().Draw(t, "replaced when lost") {
			after := rapid.IntRange(0, 5).Draw(t, "inactive")
			f.want.Unreachable = &app.UnreachableStrategy{InactiveAfter: after, ExpungeAfter: after + rapid.IntRange(0, 5).Draw(t, "expunge")}
		}
		f.retarget()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			f.now = f.now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond)
			if rapid.IntRange(0, 9).Draw(t, "retarget") == 0 {
				f.retarget()
			} else {
				f.happen()
			}
			if rapid.Bool().Draw(t, "obey") {
				f.obey()
			}
			if f.counting() < f.excess {
				f.excess = f.counting()
			}
		}
		f.settle()
	})
}

// settle lets all go well: what is wanted must come about, with one instance for
// each index.
func (f *fleet) settle() {
	for range 200 {
		f.now = f.now.Add(time.Second)
		f.have = slices.DeleteFunc(f.have, func(i Instance) bool { return i.Doomed })
		for k := range f.have {
			i := &f.have[k]
			i.Unconfirmed = false
			if i.State == Unreachable {
				i.State, f.returned = Running, true
			}
			f.proceed(i)
			i.Ready = i.State == Running
		}
		f.excess = math.MaxInt
		if d := f.obey(); d.Done {
			if len(f.have) != f.want.Instances {
				f.t.Fatalf("done with %d instances, wanted are %d", len(f.have), f.want.Instances)
			}
			seen := map[string]bool{}
			for _, i := range f.have {
				key := fmt.Sprint(i.Index, i.Config)
				if seen[key] {
					f.t.Fatalf("done with two of index %d: %+v", i.Index, f.have)
				}
				seen[key] = true
			}
			if again := Decide(f.now, f.want, f.have); len(again.Kill)+len(again.Launch) > 0 {
				f.t.Fatalf("done, and goes on: %+v", again)
			}
			return
		}
	}
	f.t.Fatalf("never done: %+v, %+v", f.want, f.have)
}

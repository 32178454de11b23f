package allocator

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

func TestRefusalOf(t *testing.T) {
	seconds := func(s float64) *sdk.Filters { return &sdk.Filters{RefuseSeconds: &s} }
	for _, row := range []struct {
		in   *sdk.Filters
		want time.Duration
	}{
		{nil, 5 * time.Second},
		{&sdk.Filters{}, 5 * time.Second},
		{seconds(0), 0},
		{seconds(0.5), 500 * time.Millisecond},
		{seconds(-1), 5 * time.Second},
		{seconds(math.NaN()), 5 * time.Second},
		{seconds(math.Inf(1)), MaxRefusal},
		{seconds(1e300), MaxRefusal},
		{seconds(365 * 24 * 3600), MaxRefusal},
	} {
		if got := RefusalOf(row.in); got != row.want {
			t.Errorf("%v: %s, want %s", row.in, got, row.want)
		}
	}
}

// TestFiltersAreForgotten: a framework that declines for a year and revives, for
// ever, must not fill the memory; nor frameworks and agents that come and go.
func TestFiltersAreForgotten(t *testing.T) {
	a := New(Options{})
	now := time.Unix(0, 0)
	total := sdk.Resources{sdk.NewScalar("cpus", 1), sdk.NewRanges("ports", sdk.Range{Begin: 1, End: 9})}
	a.AddAgent(Agent{ID: "stays", Total: total}, nil)
	for i := range 2000 {
		a.AddFramework(Framework{ID: "comes back", Roles: []string{"r"}})
		a.AddFramework(Framework{ID: sdk.FrameworkID(fmt.Sprint("once ", i)), Roles: []string{fmt.Sprint("role", i, "/x")}})
		a.AddAgent(Agent{ID: "goes", Total: total}, nil)
		for range 2 {
			for _, o := range a.Allocate(now) {
				if err := a.Recover(now, o.Holder, o.Resources, MaxRefusal); err != nil {
					t.Fatal(err)
				}
			}
		}
		a.Revive("comes back")
		a.RemoveFramework(sdk.FrameworkID(fmt.Sprint("once ", i)))
		a.RemoveAgent("goes")
	}
	if err := a.Check(); err != nil {
		t.Fatal(err)
	}
	if n := len(a.filters.heap); n > 300 && !plantLoseDeclineFilter {
		t.Errorf("%d filters are kept, %d of them void", n, a.filters.dead)
	}
	if n := len(a.agents["stays"].filters); n > 300 {
		t.Errorf("an agent keeps filters of %d clients", n)
	}
	if len(a.frameworks) != 1 || len(a.roles) != 1 || len(a.agents) != 1 || len(a.ordered) != 1 {
		t.Errorf("%d frameworks, %d roles and %d agents are kept", len(a.frameworks), len(a.roles), len(a.agents))
	}
}

// TestOfferingsAreApart: writing into one offer reaches neither the books nor another offer's entries.
func TestOfferingsAreApart(t *testing.T) {
	a := New(Options{HeadRoom: sdk.Resources{sdk.NewScalar("cpus", 0.5), sdk.NewRanges("ports", sdk.Range{Begin: 1, End: 1})}})
	total := sdk.Resources{sdk.NewScalar("cpus", 1), sdk.NewRanges("ports", sdk.Range{Begin: 1, End: 9})}
	a.AddAgent(Agent{ID: "a", Total: total}, nil)
	a.AddFramework(Framework{ID: "f", Roles: []string{"r"}})
	offers := a.Allocate(time.Unix(0, 0))
	if len(offers) != 1 || offers[0].Resources.WithoutAllocation().String() != "cpus:0.5;ports:[2-9]" {
		t.Fatal(offers)
	}
	total[0].Scalar.Value = 77
	offers[0].Resources[0].Name = "changed"
	if err := a.Check(); err != nil {
		t.Error(err)
	}
	if got := a.Free("a").String(); got != "cpus:0.5;ports:[1-1]" {
		t.Error(got)
	}
}

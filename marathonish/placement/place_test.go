package placement

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// someOffer draws an offer of a small agent.
func someOffer(t *rapid.T, n int) sdk.Offer {
	role := rapid.SampledFrom([]string{"*", "system"}).Draw(t, "role")
	var r sdk.Resources
	for range rapid.IntRange(1, 2).Draw(t, "parts") {
		part := sdk.Resources{
			sdk.NewScalar("cpus", float64(rapid.IntRange(0, 20).Draw(t, "cpus"))/10),
			sdk.NewScalar("mem", float64(rapid.IntRange(0, 100).Draw(t, "mem"))),
			sdk.NewRanges("ports", sdk.Range{Begin: 100, End: 100 + rapid.Uint64Range(0, 6).Draw(t, "ports")}),
		}
		if rapid.Bool().Draw(t, "reserved") {
			part = part.Reserve("system")
			for i := range part { // no port is in two parts
				if part[i].Ranges != nil {
					part[i] = sdk.NewRanges("ports", sdk.Range{Begin: 200, End: 203})
					part[i].Reservations = []sdk.ReservationInfo{{Type: sdk.ReservationStatic, Role: "system"}}
				}
			}
		}
		r = r.Add(part)
	}
	o := sdk.Offer{
		ID: sdk.OfferID(fmt.Sprint("o", n)), AgentID: sdk.AgentID(fmt.Sprint("a", n)), Hostname: fmt.Sprintf("host%d", n/2),
		AllocationInfo: &sdk.AllocationInfo{Role: role}, Resources: r.Allocate(role),
	}
	if rapid.Bool().Draw(t, "rack") {
		o.Attributes = append(o.Attributes, sdk.Attribute{Name: "rack", Type: sdk.ValueText, Text: &sdk.Text{Value: rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "which")}})
	}
	return o
}

// someWant draws launches of an app.
func someWant(t *rapid.T, n int) Want {
	a := &app.App{
		ID: app.ID(fmt.Sprint("/app", n)), Role: rapid.SampledFrom([]string{"*", "system"}).Draw(t, "role"),
		CPUs: float64(rapid.IntRange(1, 8).Draw(t, "cpus")) / 10, Mem: float64(rapid.IntRange(0, 30).Draw(t, "mem")),
		RequirePorts: rapid.IntRange(0, 3).Draw(t, "require") == 0,
	}
	if rapid.IntRange(0, 3).Draw(t, "accept") == 0 {
		a.AcceptedResourceRoles = []string{rapid.SampledFrom([]string{"*", "system"}).Draw(t, "accepted")}
	}
	for range rapid.IntRange(0, 3).Draw(t, "ports") {
		a.PortDefinitions = append(a.PortDefinitions, app.PortDefinition{})
	}
	if len(a.PortDefinitions) > 0 && a.RequirePorts {
		a.PortDefinitions[0].Port = rapid.IntRange(99, 104).Draw(t, "port")
	}
	for range rapid.IntRange(0, 2).Draw(t, "constraints") {
		c := app.Constraint{Field: rapid.SampledFrom([]string{"hostname", "rack"}).Draw(t, "field")}
		c.Operator = rapid.SampledFrom([]app.Operator{app.Unique, app.Cluster, app.Like, app.Unlike, app.MaxPer}).Draw(t, "operator")
		switch c.Operator {
		case app.Cluster:
			c.Value = rapid.SampledFrom([]string{"", "host0", "r1"}).Draw(t, "value")
		case app.Like, app.Unlike:
			c.Value = rapid.SampledFrom([]string{"host[01]", "r1", ".*", "host"}).Draw(t, "value")
		case app.MaxPer:
			c.Value = strconv.Itoa(rapid.IntRange(1, 3).Draw(t, "most"))
		}
		a.Constraints = append(a.Constraints, c)
	}
	w := Want{App: a, Count: rapid.IntRange(0, 6).Draw(t, "count")}
	for range rapid.IntRange(0, 2).Draw(t, "placed") {
		k := rapid.IntRange(0, 5).Draw(t, "where")
		w.Placed = append(w.Placed, Placed{AgentID: sdk.AgentID(fmt.Sprint("a", k)), Host: fmt.Sprintf("host%d", k/2), Values: map[string]string{"rack": "r1"}})
	}
	return w
}

// twin knows what is left of the offers and who is where, and looks at everything
// anew for each question.
type twin struct {
	offers []sdk.Offer
	left   []sdk.Resources
	placed map[int][]Placed
}

// usable is what the app may take of an offer.
func (w *twin) usable(o int, a *app.App) sdk.Resources {
	return w.left[o].Filter(func(x *sdk.Resource) bool {
		role := x.ReservedRole()
		if role == "" {
			role = "*"
		}
		return len(a.AcceptedResourceRoles) == 0 || slices.Contains(a.AcceptedResourceRoles, role)
	})
}

func rackOf(o *sdk.Offer) (string, bool) {
	for _, a := range o.Attributes {
		if a.Name == "rack" {
			return a.Text.Value, true
		}
	}
	return "", false
}

// fits tells whether the next instance may be on the offer.
func (w *twin) fits(want, o int, a *app.App) bool {
	offer := &w.offers[o]
	r := w.usable(o, a)
	if offer.AllocationInfo.Role != a.Role || r.Millis("cpus") < sdk.Millis(a.CPUs) || r.Millis("mem") < sdk.Millis(a.Mem) {
		return false
	}
	ports := r.Ranges("ports")
	if ports.Count() < uint64(len(a.PortDefinitions)) {
		return false
	}
	if a.RequirePorts && len(a.PortDefinitions) > 0 && a.PortDefinitions[0].Port != 0 && !ports.Has(uint64(a.PortDefinitions[0].Port)) {
		return false
	}
	for _, c := range a.Constraints {
		if !w.meets(c, offer, w.placed[want]) {
			return false
		}
	}
	return true
}

func (w *twin) meets(c app.Constraint, o *sdk.Offer, placed []Placed) bool {
	value, has := o.Hostname, true
	of := func(p Placed) string { return p.Host }
	if c.Field == "rack" {
		value, has = rackOf(o)
		of = func(p Placed) string { return p.Values["rack"] }
	}
	if !has {
		return c.Operator == app.Unlike
	}
	same := 0
	for _, p := range placed {
		if of(p) == value {
			same++
		}
	}
	switch c.Operator {
	case app.Unique:
		return same == 0
	case app.MaxPer:
		most, _ := strconv.Atoi(c.Value)
		return same < most
	case app.Cluster:
		if c.Value != "" {
			return value == c.Value
		}
		for _, p := range placed {
			if c.Field != "rack" || p.Values["rack"] != "" {
				return of(p) == value
			}
		}
		return true
	}
	matched := regexp.MustCompile("^(" + c.Value + ")$").MatchString(value)
	return matched == (c.Operator == app.Like)
}

func TestPlaceAgainstTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var offers []sdk.Offer
		for n := range rapid.IntRange(0, 6).Draw(t, "offers") {
			offers = append(offers, someOffer(t, n))
		}
		var wants []Want
		w := &twin{offers: offers, placed: map[int][]Placed{}}
		for n := range rapid.IntRange(0, 3).Draw(t, "wants") {
			wants = append(wants, someWant(t, n))
			w.placed[n] = slices.Clone(wants[n].Placed)
		}
		for i := range offers {
			w.left = append(w.left, offers[i].Resources)
		}
		before := fmt.Sprintf("%+v", offers)
		seed := rapid.Uint64().Draw(t, "seed")
		r := Place(offers, wants, seed)
		got := map[int]int{}
		last := 0
		for _, l := range r.Launches {
			for ; last < l.Want; last++ { // those before got all that there was for them
				w.exhausted(t, last, wants[last], got[last], r)
			}
			got[l.Want]++
			w.take(t, l, wants[l.Want].App)
		}
		for ; last < len(wants); last++ {
			w.exhausted(t, last, wants[last], got[last], r)
		}
		if after := fmt.Sprintf("%+v", offers); after != before {
			t.Fatalf("the offers were changed: %s", after)
		}
		if again := Place(offers, wants, seed); fmt.Sprintf("%+v", again.Launches) != fmt.Sprintf("%+v", r.Launches) && !strings.Contains(fmt.Sprintf("%+v", r), "0x") {
			t.Fatalf("the same call, another result: %+v and %+v", r, again)
		}
	})
}

// take checks a launch and books it.
func (w *twin) take(t *rapid.T, l Launch, a *app.App) {
	if !w.fits(l.Want, l.Offer, a) {
		t.Fatalf("%s is put onto %s, where it does not fit", a.ID, w.offers[l.Offer].ID)
	}
	took := sdk.Resources(l.Resources)
	if !w.usable(l.Offer, a).Contains(took) {
		t.Fatalf("%s takes %s of %s", a.ID, took.Describe(), w.left[l.Offer].Describe())
	}
	if took.Millis("cpus") != sdk.Millis(a.CPUs) || took.Millis("mem") != sdk.Millis(a.Mem) || took.Ranges("ports").Count() != uint64(len(a.PortDefinitions)) {
		t.Fatalf("%s takes %s", a.ID, took.Describe())
	}
	for i, p := range l.Ports {
		if !took.Ranges("ports").Has(uint64(p)) || slices.Contains(l.Ports[:i], p) {
			t.Fatalf("ports %v of %s", l.Ports, took.Describe())
		}
		if a.RequirePorts && a.PortDefinitions[i].Port != 0 && a.PortDefinitions[i].Port != p {
			t.Fatalf("port %d is %d, %d is required", i, p, a.PortDefinitions[i].Port)
		}
	}
	// No other agent with fewer instances of the app would have done.
	for o := range w.offers {
		if w.fits(l.Want, o, a) && w.on(l.Want, o) < w.on(l.Want, l.Offer) {
			t.Fatalf("%s is put onto %s, and %s has fewer of it", a.ID, w.offers[l.Offer].ID, w.offers[o].ID)
		}
	}
	w.left[l.Offer] = w.left[l.Offer].Subtract(took)
	p := Placed{AgentID: w.offers[l.Offer].AgentID, Host: w.offers[l.Offer].Hostname, Values: map[string]string{}}
	if rack, ok := rackOf(&w.offers[l.Offer]); ok {
		p.Values["rack"] = rack
	}
	w.placed[l.Want] = append(w.placed[l.Want], p)
}

func (w *twin) on(want, o int) int {
	n := 0
	for _, p := range w.placed[want] {
		if p.AgentID == w.offers[o].AgentID {
			n++
		}
	}
	return n
}

// exhausted checks that what was not placed has no place, and that the reason is
// told for each offer.
func (w *twin) exhausted(t *rapid.T, n int, want Want, placed int, r Result) {
	if placed == want.Count {
		if len(r.Refused[n]) > 0 {
			t.Fatalf("%s is wholly placed, and refuses %v", want.App.ID, r.Refused[n])
		}
		return
	}
	for o := range w.offers {
		if w.fits(n, o, want.App) {
			t.Fatalf("%s has %d of %d, and %s would do", want.App.ID, placed, want.Count, w.offers[o].ID)
		}
	}
	if len(r.Refused[n]) != len(w.offers) {
		t.Fatalf("%d reasons for %d offers", len(r.Refused[n]), len(w.offers))
	}
	for _, x := range r.Refused[n] {
		if x.Reason == Fits || x.Message == "" || !slices.Contains(Reasons(), x.Reason) {
			t.Fatalf("no reason: %+v", x)
		}
	}
}

// BenchmarkPlace is a thousand apps on a thousand agents.
func BenchmarkPlace(b *testing.B) {
	var offers []sdk.Offer
	var wants []Want
	for n := range 1000 {
		offers = append(offers, sdk.Offer{
			ID: sdk.OfferID(fmt.Sprint("o", n)), AgentID: sdk.AgentID(fmt.Sprint("a", n)), Hostname: fmt.Sprint("h", n), AllocationInfo: &sdk.AllocationInfo{Role: "*"},
			Resources: []sdk.Resource{sdk.NewScalar("cpus", 8), sdk.NewScalar("mem", 8192), sdk.NewRanges("ports", sdk.Range{Begin: 31000, End: 32000})},
		})
		wants = append(wants, Want{App: &app.App{ID: app.ID(fmt.Sprint("/app", n)), Role: "*", CPUs: 0.5, Mem: 32, PortDefinitions: []app.PortDefinition{{}}}, Count: 2})
	}
	for b.Loop() {
		if r := Place(offers, wants, 1); len(r.Launches) != 2000 {
			b.Fatal(len(r.Launches))
		}
	}
}

package placement

import (
	"fmt"
	"strings"
	"testing"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

func offer(t *testing.T, name, resources, attributes string) sdk.Offer {
	t.Helper()
	r, err := sdk.ParseResources(resources)
	if err != nil {
		t.Fatal(err)
	}
	attrs, err := sdk.ParseAttributes(attributes)
	if err != nil {
		t.Fatal(err)
	}
	return sdk.Offer{ID: sdk.OfferID(name), AgentID: sdk.AgentID(name), Hostname: name, Resources: r, Attributes: attrs, AllocationInfo: &sdk.AllocationInfo{Role: "*"}}
}

// TestFunnel: each row's processed is what passed the rows before.
func TestFunnel(t *testing.T) {
	offers := []sdk.Offer{
		offer(t, "h1", "cpus:1;mem:100;ports:[1-9]", "rack:a"), offer(t, "h2", "cpus:9;mem:10;ports:[1-9]", ""),
		offer(t, "h3", "cpus:9;mem:100", ""), offer(t, "h4", "cpus:9;mem:100;ports:[1-9]", "rack:b"), offer(t, "h5", "cpus:1;mem:1", ""),
	}
	offers[4].AllocationInfo.Role = "system"
	a := &app.App{ID: "/a", Role: "*", CPUs: 2, Mem: 50, PortDefinitions: []app.PortDefinition{{}}, Constraints: []app.Constraint{{Field: "rack", Operator: app.Unlike, Value: "b"}}}
	r := Place(offers, []Want{{App: a, Count: 1}}, 7)
	counts := map[Reason]int{}
	var said []string
	for _, x := range r.Refused[0] {
		counts[x.Reason]++
		said = append(said, fmt.Sprintf("%s: %s: %s", offers[x.Offer].ID, x.Reason, x.Message))
	}
	var got []string
	rows := Funnel(counts)
	for _, row := range rows {
		got = append(got, fmt.Sprintf("%s %d of %d", row.Reason, row.Declined, row.Processed))
	}
	want := "UnfulfilledRole 1 of 5, UnfulfilledConstraint 1 of 4, NoCorrespondingReservationFound 0 of 3, AgentMaintenance 0 of 3, InsufficientCpus 1 of 3, " +
		"InsufficientMemory 1 of 2, InsufficientDisk 0 of 1, InsufficientGpus 0 of 1, InsufficientPorts 1 of 1, DeclinedScarceResources 0 of 0"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("%s\nwanted\n%s", text, want)
	}
	for _, text := range []string{
		"h1: InsufficientCpus: cpus: 1 of 2", "h2: InsufficientMemory: mem: 10 of 50", "h3: InsufficientPorts: 0 ports are offered and 1 wanted",
		"h4: UnfulfilledConstraint: rack is b, which is like b", "h5: UnfulfilledRole: the offer is for role system and not for *",
	} {
		if !strings.Contains(strings.Join(said, "\n"), text) {
			t.Errorf("%q is not among\n%s", text, strings.Join(said, "\n"))
		}
	}
	const why = "of 5 agents that offered, 1 agent offered for another role, 1 agent did not meet the constraints, 1 agent had too few cpus, 1 agent had too little memory, 1 agent did not have the ports"
	if got := Why(rows); got != why {
		t.Errorf("%s\nwanted\n%s", got, why)
	}
	if got := Why(Funnel(nil)); !strings.Contains(got, "no agent has offered") {
		t.Error(got)
	}
}

// TestConstraints: each operator against agents whose attributes have all types.
func TestConstraints(t *testing.T) {
	const attributes = "rack:r1;level:2.5004;span:[5-6,1-2];kinds:{b,a}"
	on := []Placed{{AgentID: "x", Host: "h1", Values: map[string]string{"rack": "r1"}}, {AgentID: "y", Host: "h2", Values: map[string]string{"rack": "r2"}}}
	for _, c := range []struct {
		field, operator, value string
		placed                 []Placed
		accepted               bool
	}{
		{"hostname", "UNIQUE", "", nil, true},
		{"hostname", "UNIQUE", "", on, false},
		{"@hostname", "UNIQUE", "", on[1:], true},
		{"rack", "UNIQUE", "", on, false},
		{"rack", "UNIQUE", "", on[1:], true},
		{"missing", "UNIQUE", "", nil, false},
		{"rack", "CLUSTER", "r1", nil, true},
		{"rack", "CLUSTER", "r2", nil, false},
		{"rack", "CLUSTER", "", nil, true},
		{"rack", "CLUSTER", "", on, true},
		{"rack", "CLUSTER", "", on[1:], false},
		{"missing", "CLUSTER", "", nil, false},
		{"rack", "LIKE", "r[12]", nil, true},
		{"rack", "LIKE", "r", nil, false}, // the whole value
		{"rack", "LIKE", "x|r1", nil, true},
		{"missing", "LIKE", ".*", nil, false},
		{"kinds", "LIKE", `\{a,b\}`, nil, true}, // sorted
		{"span", "LIKE", `\[1-2,5-6\]`, nil, true},
		{"level", "LIKE", `2\.5`, nil, true}, // three decimals
		{"rack", "UNLIKE", "r2", nil, true},
		{"rack", "UNLIKE", "r1", nil, false},
		{"missing", "UNLIKE", ".*", nil, true},
		{"rack", "MAX_PER", "2", on, true},
		{"rack", "MAX_PER", "1", on, false},
		{"missing", "MAX_PER", "9", nil, false},
	} {
		o := offer(t, "h1", "cpus:1", attributes)
		a := &app.App{ID: "/a", Role: "*", CPUs: 1, Constraints: []app.Constraint{{Field: c.field, Operator: app.Operator(c.operator), Value: c.value}}}
		r := Place([]sdk.Offer{o}, []Want{{App: a, Count: 1, Placed: c.placed}}, 1)
		if got := len(r.Launches) == 1; got != c.accepted {
			t.Errorf("%s %s %q with %d placed: %t, wanted %t", c.field, c.operator, c.value, len(c.placed), got, c.accepted)
		}
	}
}

// TestPortsAreDrawnByTheSeed: equal seeds give equal ports, others others.
func TestPortsAreDrawnByTheSeed(t *testing.T) {
	o := offer(t, "h1", "cpus:9;ports:[31000-31999]", "")
	a := &app.App{ID: "/a", Role: "*", CPUs: 1, PortDefinitions: []app.PortDefinition{{}, {}, {}}}
	seen := map[string]bool{}
	for seed := range uint64(8) {
		one := fmt.Sprint(Place([]sdk.Offer{o}, []Want{{App: a, Count: 1}}, seed).Launches[0].Ports)
		if again := fmt.Sprint(Place([]sdk.Offer{o}, []Want{{App: a, Count: 1}}, seed).Launches[0].Ports); again != one {
			t.Errorf("seed %d: %s and %s", seed, one, again)
		}
		seen[one] = true
	}
	if len(seen) < 8 {
		t.Errorf("eight seeds give %v", seen)
	}
}

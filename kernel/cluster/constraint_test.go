package cluster

import (
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// TestConstraints goes through every predicate, on text, on a number and on
// nothing.
func TestConstraints(t *testing.T) {
	attributes, err := sdk.ParseAttributes("rack:r1;level:3")
	if err != nil {
		t.Fatal(err)
	}
	a := newAgent("a1")
	a.describe(sdk.AgentInfo{Hostname: "h1", Attributes: attributes, Domain: &sdk.DomainInfo{FaultDomain: &sdk.FaultDomain{
		Region: sdk.RegionInfo{Name: "north"}, Zone: sdk.ZoneInfo{Name: "z1"},
	}}}, "1", "h1:5051")
	rack := sdk.ConstraintSelector{AttributeName: "rack"}
	level := sdk.ConstraintSelector{AttributeName: "level"}
	none := sdk.ConstraintSelector{AttributeName: "none"}
	host := sdk.ConstraintSelector{PseudoattributeType: sdk.PseudoattributeHostname}
	zone := sdk.ConstraintSelector{PseudoattributeType: sdk.PseudoattributeZone}
	region := sdk.ConstraintSelector{PseudoattributeType: sdk.PseudoattributeRegion}
	equals := func(s string) sdk.ConstraintPredicate {
		return sdk.ConstraintPredicate{TextEquals: &sdk.TextEquals{Value: s}}
	}
	differs := func(s string) sdk.ConstraintPredicate {
		return sdk.ConstraintPredicate{TextNotEquals: &sdk.TextNotEquals{Value: s}}
	}
	matches := func(s string) sdk.ConstraintPredicate {
		return sdk.ConstraintPredicate{TextMatches: &sdk.TextMatches{Regex: s}}
	}
	avoids := func(s string) sdk.ConstraintPredicate {
		return sdk.ConstraintPredicate{TextNotMatches: &sdk.TextNotMatches{Regex: s}}
	}
	exists := sdk.ConstraintPredicate{Exists: &sdk.ConstraintExists{}}
	absent := sdk.ConstraintPredicate{NotExists: &sdk.ConstraintNotExists{}}
	for i, c := range []struct {
		on   sdk.ConstraintSelector
		p    sdk.ConstraintPredicate
		want bool
	}{
		{rack, exists, true}, {none, exists, false}, {rack, absent, false}, {none, absent, true},
		{rack, equals("r1"), true}, {rack, equals("r2"), false}, {none, equals("r1"), false}, {level, equals("3"), true},
		{rack, differs("r1"), false}, {rack, differs("r2"), true}, {none, differs("r1"), true}, {level, differs("3"), true},
		{rack, matches("r."), true}, {rack, matches("r"), false}, {none, matches(".*"), false}, {level, matches("x"), true},
		{rack, avoids("r."), false}, {rack, avoids("r"), true}, {none, avoids(".*"), true}, {level, avoids("x"), true},
		{host, equals("h1"), true}, {zone, equals("z1"), true}, {region, equals("north"), true}, {region, equals("south"), false},
	} {
		oc := &sdk.OfferConstraints{RoleConstraints: map[string]sdk.RoleConstraints{"r": {Groups: []sdk.ConstraintGroup{
			{AttributeConstraints: []sdk.AttributeConstraint{{Selector: c.on, Predicate: c.p}}},
		}}}}
		if wrong := checkConstraints(oc, []string{"r"}); wrong != "" {
			t.Errorf("%d: %s", i, wrong)
		}
		if got := satisfies(oc, "r", a); got != c.want {
			t.Errorf("%d: %+v of %+v holds: %v", i, c.p, c.on, got)
		}
		if !satisfies(oc, "other", a) {
			t.Errorf("%d: holds a role back that it does not name", i)
		}
	}
}

// TestConstraintsRefused names what is wrong with each.
func TestConstraintsRefused(t *testing.T) {
	rack := sdk.ConstraintSelector{AttributeName: "rack"}
	exists := sdk.ConstraintPredicate{Exists: &sdk.ConstraintExists{}}
	long := make([]byte, 5000)
	for name, c := range map[string]sdk.AttributeConstraint{
		"no selector":    {Predicate: exists},
		"two selectors":  {Selector: sdk.ConstraintSelector{AttributeName: "a", PseudoattributeType: sdk.PseudoattributeZone}, Predicate: exists},
		"unknown pseudo": {Selector: sdk.ConstraintSelector{PseudoattributeType: sdk.PseudoattributeUnknown}, Predicate: exists},
		"no predicate":   {Selector: rack},
		"two predicates": {Selector: rack, Predicate: sdk.ConstraintPredicate{Exists: exists.Exists, TextEquals: &sdk.TextEquals{}}},
		"bad regex":      {Selector: rack, Predicate: sdk.ConstraintPredicate{TextNotMatches: &sdk.TextNotMatches{Regex: "("}}},
		"long regex":     {Selector: rack, Predicate: sdk.ConstraintPredicate{TextMatches: &sdk.TextMatches{Regex: string(long)}}},
	} {
		oc := &sdk.OfferConstraints{RoleConstraints: map[string]sdk.RoleConstraints{"r": {Groups: []sdk.ConstraintGroup{{AttributeConstraints: []sdk.AttributeConstraint{c}}}}}}
		if checkConstraints(oc, []string{"r"}) == "" {
			t.Errorf("%s is accepted", name)
		}
		if checkConstraints(oc, []string{"other"}) == "" {
			t.Errorf("%s: a role that is not the framework's is accepted", name)
		}
	}
	empty := &sdk.OfferConstraints{RoleConstraints: map[string]sdk.RoleConstraints{"r": {Groups: []sdk.ConstraintGroup{{}}}}}
	if checkConstraints(empty, []string{"r"}) == "" {
		t.Error("an empty group is accepted")
	}
}

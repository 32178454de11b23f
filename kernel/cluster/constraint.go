package cluster

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/profferhq/proffer/sdk"
)

// checkConstraints is what is wrong with a framework's offer constraints, or "".
func checkConstraints(oc *sdk.OfferConstraints, roles []string) string {
	if oc == nil {
		return ""
	}
	const invalid = "Offer constraints are not valid: "
	for _, role := range slices.Sorted(maps.Keys(oc.RoleConstraints)) {
		if !slices.Contains(roles, role) {
			return fmt.Sprintf(invalid+"'OfferConstraints::role_constraints' contains unknown role %s", role)
		}
		groups := oc.RoleConstraints[role].Groups
		if len(groups) == 0 {
			return fmt.Sprintf(invalid+"'OfferConstraints::role_constraints' has an empty 'RoleConstraints::groups' for role %s", role)
		}
		for i := range groups {
			if len(groups[i].AttributeConstraints) == 0 {
				return fmt.Sprintf(invalid+"A role %s has an empty 'RoleConstraints::Group'", role)
			}
			for j := range groups[i].AttributeConstraints {
				if wrong := checkConstraint(&groups[i].AttributeConstraints[j]); wrong != "" {
					return fmt.Sprintf(invalid+"A role %s has an invalid 'AttributeConstraint': %s", role, wrong)
				}
			}
		}
	}
	return ""
}

func checkConstraint(ac *sdk.AttributeConstraint) string {
	pseudo := ac.Selector.PseudoattributeType
	if (pseudo == "") == (ac.Selector.AttributeName == "") {
		return "Exactly one of 'AttributeConstraint::Selector::name' and 'pseudoattribute_type' must be set"
	}
	if pseudo != "" && pseudo != sdk.PseudoattributeHostname && pseudo != sdk.PseudoattributeRegion && pseudo != sdk.PseudoattributeZone {
		return "Unknown pseudoattribute type"
	}
	p := &ac.Predicate
	set, pattern := 0, ""
	for _, has := range []bool{p.Exists != nil, p.NotExists != nil, p.TextEquals != nil, p.TextNotEquals != nil, p.TextMatches != nil, p.TextNotMatches != nil} {
		if has {
			set++
		}
	}
	if set != 1 {
		return "Exactly one predicate of 'AttributeConstraint::Predicate' must be set"
	}
	switch {
	case p.TextMatches != nil:
		pattern = p.TextMatches.Regex
	case p.TextNotMatches != nil:
		pattern = p.TextNotMatches.Regex
	}
	if len(pattern) > 4096 {
		return "a regex may have at most 4096 bytes"
	}
	if _, err := regexp.Compile(pattern); err != nil {
		return fmt.Sprintf("Failed to construct regex from pattern '%s': %v", pattern, err)
	}
	return ""
}

// satisfies tells whether an agent may be offered in a role: all constraints of
// one of the role's groups hold.
func satisfies(oc *sdk.OfferConstraints, role string, a *agent) bool {
	if oc == nil {
		return true
	}
	rc, constrained := oc.RoleConstraints[role]
	if !constrained {
		return true
	}
	for i := range rc.Groups {
		holds := true
		for j := range rc.Groups[i].AttributeConstraints {
			holds = holds && holdsFor(&rc.Groups[i].AttributeConstraints[j], a)
		}
		if holds {
			return true
		}
	}
	return false
}

// holdsFor tells whether an agent satisfies one constraint. As in Mesos the text
// predicates hold for attributes that are not text.
func holdsFor(ac *sdk.AttributeConstraint, a *agent) bool {
	text, isText, exists := selected(&ac.Selector, a)
	p := &ac.Predicate
	switch {
	case p.Exists != nil:
		return exists
	case p.NotExists != nil:
		return !exists
	case p.TextEquals != nil:
		return exists && (!isText || text == p.TextEquals.Value)
	case p.TextNotEquals != nil:
		return !exists || !isText || text != p.TextNotEquals.Value
	case p.TextMatches != nil:
		return exists && (!isText || fullMatch(p.TextMatches.Regex, text))
	case p.TextNotMatches != nil:
		return !exists || !isText || !fullMatch(p.TextNotMatches.Regex, text)
	}
	return false
}

func fullMatch(pattern, text string) bool {
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	return err == nil && re.MatchString(text)
}

func selected(s *sdk.ConstraintSelector, a *agent) (text string, isText, exists bool) {
	switch s.PseudoattributeType {
	case sdk.PseudoattributeHostname:
		return a.info.Hostname, true, true
	case sdk.PseudoattributeRegion, sdk.PseudoattributeZone:
		if a.info.Domain == nil || a.info.Domain.FaultDomain == nil {
			return "", true, false
		}
		if s.PseudoattributeType == sdk.PseudoattributeRegion {
			return a.info.Domain.FaultDomain.Region.Name, true, true
		}
		return a.info.Domain.FaultDomain.Zone.Name, true, true
	}
	for i := range a.info.Attributes {
		x := &a.info.Attributes[i]
		if x.Name == s.AttributeName {
			if x.Text == nil {
				return "", false, true
			}
			return x.Text.Value, true, true
		}
	}
	return "", false, false
}

package sdk

import (
	"fmt"
	"math"
	"slices"
)

// MaxResources is the largest number of entries that one list may have.
const MaxResources = 1024

// Validate refuses a list that cannot be counted with: amounts that are
// negative, not a number, absurdly large or round to zero (an exact zero is
// legal and drops out), ranges that are reversed or overlap, sets with an item
// twice, names and roles that cannot be written, reservations that contradict
// themselves. field is the path of the list, and the *Error names the entry.
func (r Resources) Validate(field string) error {
	if len(r) > MaxResources {
		return Errorf(CodeInvalid, field, "has %d resources, at most %d are allowed", len(r), MaxResources)
	}
	for i := range r {
		at := fmt.Sprintf("%s[%d]", field, i)
		x := &r[i]
		where, fault := x.fault()
		if fault != "" {
			return Errorf(CodeInvalid, at+where, "Resource '%s' is invalid: %s", x.plainText(), fault)
		}
		if err := x.validateReservation(at); err != nil {
			return err
		}
	}
	return nil
}

// fault is where below the entry something is wrong and what, in the words of
// Mesos where it has some; an empty fault when nothing is.
func (x *Resource) fault() (where, fault string) {
	if fault := nameFault(x.Name); fault != "" {
		return ".name", fault
	}
	present := 0
	for _, has := range []bool{x.Scalar != nil, x.Ranges != nil, x.Set != nil} {
		if has {
			present++
		}
	}
	if present > 1 {
		return ".type", "more than one of scalar, ranges and set is given"
	}
	switch x.Type {
	case ValueScalar:
		return ".scalar.value", x.scalarFault()
	case ValueRanges:
		return ".ranges", x.rangesFault()
	case ValueSet:
		return ".set", x.setFault()
	}
	return ".type", fmt.Sprintf("Unsupported resource type %q; allowed are SCALAR, RANGES and SET", string(x.Type))
}

func (x *Resource) scalarFault() string {
	switch {
	case x.Scalar == nil:
		return "Invalid scalar resource"
	case math.IsNaN(x.Scalar.Value):
		return "Invalid scalar resource: value is not a number"
	case x.Scalar.Value > MaxScalar:
		return fmt.Sprintf("Invalid scalar resource: value > %.0f", float64(MaxScalar))
	case x.Scalar.Value == 0:
		return ""
	case Millis(x.Scalar.Value) <= 0:
		return "Invalid scalar resource: value <= 0"
	case x.Name == "gpus" && Millis(x.Scalar.Value)%1000 != 0:
		return "Invalid 'gpus' resource: The 'gpus' resource must be an unsigned integer"
	}
	return ""
}

func (x *Resource) rangesFault() string {
	if x.Ranges == nil || len(x.Ranges.Range) == 0 {
		return "Invalid ranges resource"
	}
	return rangesFault(*x.Ranges)
}

// rangesFault tells what is wrong with ranges from outside.
func rangesFault(r Ranges) string {
	sorted := slices.Clone(r.Range)
	slices.SortFunc(sorted, byBegin)
	for i, g := range sorted {
		if g.Begin > g.End {
			return fmt.Sprintf("Invalid ranges resource: begin > end in [%d-%d]", g.Begin, g.End)
		}
		if i > 0 && g.Begin <= sorted[i-1].End {
			p := sorted[i-1]
			return fmt.Sprintf("Invalid ranges resource: overlapping ranges [%d-%d] and [%d-%d]", p.Begin, p.End, g.Begin, g.End)
		}
	}
	return ""
}

func (x *Resource) setFault() string {
	if x.Set == nil || len(x.Set.Item) == 0 {
		return "Invalid set resource"
	}
	for _, item := range x.Set.Item {
		if fault := itemFault(item); fault != "" {
			return "Invalid set resource: " + fault
		}
	}
	if len(x.Set.Canonical().Item) != len(x.Set.Item) {
		return "Invalid set resource: duplicated elements"
	}
	return ""
}

// validateReservation checks roles, and that refinements go down the tree.
func (x *Resource) validateReservation(at string) error {
	if x.Role != "" {
		if err := ValidateRole(at+".role", x.Role); err != nil {
			return err
		}
	}
	if x.Reservation != nil && len(x.Reservations) == 0 && (x.Role == "" || x.Role == DefaultRole) {
		return Errorf(CodeInvalid, at+".reservation", "Invalid reservation: role '*' cannot be dynamically reserved")
	}
	for i := range x.Reservations {
		info, here := &x.Reservations[i], fmt.Sprintf("%s.reservations[%d]", at, i)
		if info.Role == DefaultRole {
			return Errorf(CodeInvalid, here+".role", "Invalid reservation: nothing can be reserved to role '*'")
		}
		if err := ValidateRole(here+".role", info.Role); err != nil {
			return err
		}
		if info.Type != ReservationStatic && info.Type != ReservationDynamic {
			return Errorf(CodeInvalid, here+".type", "Invalid reservation: type %q; allowed are STATIC and DYNAMIC", string(info.Type))
		}
		if i > 0 && (info.Type != ReservationDynamic || !IsSubrole(info.Role, x.Reservations[i-1].Role)) {
			return Errorf(CodeInvalid, here, "Invalid reservation: a refinement must be DYNAMIC and to a role below '%s'", x.Reservations[i-1].Role)
		}
	}
	if n := len(x.Reservations); n > 0 && x.Role != "" && x.Role != DefaultRole && x.Role != x.Reservations[n-1].Role {
		return Errorf(CodeInvalid, at+".role", "role %q contradicts the reservation to %q", x.Role, x.Reservations[n-1].Role)
	}
	return nil
}

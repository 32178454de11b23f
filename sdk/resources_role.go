package sdk

import (
	"slices"
	"strings"
)

// DefaultRole is the role of those who name none; nothing can be reserved to it.
const DefaultRole = "*"

// Allocate stamps every entry with the role that it is allocated to.
func (r Resources) Allocate(role string) Resources {
	out := r.Normalize()
	for i := range out {
		out[i].AllocationInfo = &AllocationInfo{Role: role}
	}
	return out.Normalize()
}

// WithoutAllocation is r without the stamps of Allocate.
func (r Resources) WithoutAllocation() Resources {
	out := make(Resources, 0, len(r))
	for i := range r {
		x := r[i]
		x.AllocationInfo = nil
		out = out.merge(&x)
	}
	return out
}

// Allocations lists the roles that entries of r are allocated to, sorted; the
// empty string stands for entries without a stamp.
func (r Resources) Allocations() []string {
	roles := make([]string, 0, 1)
	for i := range r {
		roles = append(roles, r[i].allocation())
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// ReservedRole is the role that the entry is reserved to, in whichever form;
// empty when it is reserved to nobody.
func (x *Resource) ReservedRole() string {
	if n := len(x.Reservations); n > 0 {
		return x.Reservations[n-1].Role
	}
	if x.Role == DefaultRole {
		return ""
	}
	return x.Role
}

// IsReserved tells whether the entry is reserved to some role.
func (x *Resource) IsReserved() bool { return x.ReservedRole() != "" }

// IsRefined tells whether the reservation of the entry refines another one.
func (x *Resource) IsRefined() bool { return len(x.Reservations) > 1 }

// Unreserved is the entries that are reserved to nobody.
func (r Resources) Unreserved() Resources {
	return r.Filter(func(x *Resource) bool { return !x.IsReserved() })
}

// ReservedTo is the entries that are reserved to exactly that role.
func (r Resources) ReservedTo(role string) Resources {
	return r.Filter(func(x *Resource) bool { return x.ReservedRole() == role })
}

// Reserve makes r's entries reserved to a role, statically, as an agent's
// configuration does. Entries that are reserved already are refined.
func (r Resources) Reserve(role string) Resources {
	out := r.Normalize()
	for i := range out {
		out[i].Reservations = append(out[i].Reservations, ReservationInfo{Type: ReservationStatic, Role: role})
	}
	return out
}

// PreForm is r as a framework without RESERVATION_REFINEMENT sees it: the role
// (and a dynamic reservation) beside the amount. Refined reservations cannot be
// said in that form and are left out.
func (r Resources) PreForm() Resources {
	out := make(Resources, 0, len(r))
	for _, x := range r.Normalize() {
		if x.IsRefined() {
			continue
		}
		x.Role = DefaultRole
		if len(x.Reservations) == 1 {
			info := x.Reservations[0]
			x.Role = info.Role
			if info.Type == ReservationDynamic {
				x.Reservation = &ReservationInfo{Principal: info.Principal, Labels: info.Labels}
			}
		}
		x.Reservations = nil
		out = append(out, x)
	}
	return out
}

// isPostForm tells whether postForm would change nothing.
func (x *Resource) isPostForm() bool {
	return x.Role == "" && x.Reservation == nil
}

// postForm is x with its reservation said by Reservations alone. It shares
// memory with x. Where an entry has both forms, as in the lists of Mesos's old
// endpoints, Reservations hold.
func (x *Resource) postForm() Resource {
	p := *x
	if x.isPostForm() {
		return p
	}
	p.Role, p.Reservation = "", nil
	if len(x.Reservations) > 0 || x.Role == "" || x.Role == DefaultRole {
		return p
	}
	info := ReservationInfo{Type: ReservationStatic, Role: x.Role}
	if x.Reservation != nil {
		info = ReservationInfo{Type: ReservationDynamic, Role: x.Role, Principal: x.Reservation.Principal, Labels: x.Reservation.Labels}
	}
	p.Reservations = []ReservationInfo{info}
	return p
}

// ValidateRole refuses a name that cannot be a role: empty, with an empty part,
// a part "." or "..", a part that begins with a dash, or white space, control
// characters, a star or a backslash. Slashes make the tree. The star alone is
// the default role. field is the path that the error names.
func ValidateRole(field, role string) error {
	if role == DefaultRole {
		return nil
	}
	if len(role) > MaxIDLength {
		return Errorf(CodeInvalid, field, "role is %d bytes long, at most %d are allowed", len(role), MaxIDLength)
	}
	for part := range strings.SplitSeq(role, "/") {
		switch {
		case part == "":
			return Errorf(CodeInvalid, field, "role %q is empty or has an empty part", role)
		case part == "." || part == "..":
			return Errorf(CodeInvalid, field, "role %q has the part %q, which is not allowed", role, part)
		case strings.HasPrefix(part, "-"):
			return Errorf(CodeInvalid, field, "role %q has a part that begins with a dash", role)
		}
	}
	for i, c := range role {
		if c <= ' ' || c == 0x7f || c == '*' || c == '\\' || c == '\uFFFD' {
			return Errorf(CodeInvalid, field, "role %q has the character %q at byte %d, which is not allowed", role, c, i)
		}
	}
	return nil
}

// IsSubrole tells whether role is below ancestor in the tree of roles.
func IsSubrole(role, ancestor string) bool {
	return len(role) > len(ancestor) && role[len(ancestor)] == '/' && role[:len(ancestor)] == ancestor
}

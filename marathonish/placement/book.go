package placement

import (
	"fmt"
	"slices"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// book is what is left of one offer.
type book struct {
	offer   *sdk.Offer
	scalars []account
	ports   []account
	values  map[string]string
}

// account is what is left of one entry of the offer.
type account struct {
	entry    *sdk.Resource
	reserved bool // to the offer's role
	millis   int64
	ranges   sdk.Ranges
}

func open(o *sdk.Offer) *book {
	b := &book{offer: o}
	for i := range o.Resources {
		x := &o.Resources[i]
		if x.Disk != nil || x.Revocable != nil || x.Shared != nil || x.ProviderID != "" {
			continue // volumes and what can be taken away again are for nobody here
		}
		account := account{entry: x, reserved: x.IsReserved()}
		switch {
		case x.Scalar != nil:
			account.millis = sdk.Millis(x.Scalar.Value)
			b.scalars = append(b.scalars, account)
		case x.Ranges != nil && x.Name == "ports":
			account.ranges = x.Ranges.Canonical()
			b.ports = append(b.ports, account)
		}
	}
	// What is reserved is used first: nobody else can use it.
	byReservation := func(x, y account) int {
		switch {
		case x.reserved == y.reserved:
			return 0
		case x.reserved:
			return -1
		}
		return 1
	}
	slices.SortStableFunc(b.scalars, byReservation)
	slices.SortStableFunc(b.ports, byReservation)
	return b
}

// value is the offer's value of an attribute; the first, where there are several.
func (b *book) value(name string) (string, bool) {
	if b.values == nil {
		b.values = make(map[string]string, len(b.offer.Attributes))
		for i := range b.offer.Attributes {
			x := &b.offer.Attributes[i]
			if _, ok := b.values[x.Name]; !ok {
				b.values[x.Name] = attributeText(x)
			}
		}
	}
	v, ok := b.values[name]
	return v, ok
}

// role says why the offer is not for the app's role; empty: it is.
func (b *book) role(a *app.App) string {
	role := sdk.DefaultRole
	if b.offer.AllocationInfo != nil {
		role = b.offer.AllocationInfo.Role
	}
	if role != a.Role {
		return fmt.Sprintf("the offer is for role %s and not for %s", role, a.Role)
	}
	for i := range b.scalars {
		if accepts(a, &b.scalars[i]) {
			return ""
		}
	}
	return "the offer has nothing of the accepted roles"
}

// accepts tells whether the app takes from the entry, as acceptedResourceRoles say.
func accepts(a *app.App, x *account) bool {
	if len(a.AcceptedResourceRoles) == 0 {
		return true
	}
	role := sdk.DefaultRole
	if x.reserved {
		role = x.entry.ReservedRole()
	}
	return slices.Contains(a.AcceptedResourceRoles, role)
}

// need is one scalar that an app wants, in thousandths.
type need struct {
	name   string
	millis int64
	reason Reason
}

func needs(a *app.App) [3]need {
	return [3]need{
		{"cpus", sdk.Millis(a.CPUs), InsufficientCpus},
		{"mem", sdk.Millis(a.Mem), InsufficientMemory},
		{"disk", sdk.Millis(a.Disk), InsufficientDisk},
	}
}

// short says what the offer has too little of.
func (b *book) short(a *app.App) (Reason, string) {
	for _, n := range needs(a) {
		if n.millis == 0 {
			continue
		}
		if have := b.have(a, n.name); have < n.millis {
			return n.reason, fmt.Sprintf("%s: %g of %g", n.name, sdk.FromMillis(have), sdk.FromMillis(n.millis))
		}
	}
	if _, missing := b.pick(a, &dice{}); missing != "" {
		return InsufficientPorts, missing
	}
	return Fits, ""
}

func (b *book) have(a *app.App, name string) int64 {
	var sum int64
	for i := range b.scalars {
		if x := &b.scalars[i]; x.entry.Name == name && accepts(a, x) {
			sum += x.millis
		}
	}
	return sum
}

// take books one instance, which must fit, and gives the resources and ports of it.
func (b *book) take(a *app.App, dice *dice) ([]sdk.Resource, []int) {
	var taken []sdk.Resource
	for _, n := range needs(a) {
		for i := range b.scalars {
			x := &b.scalars[i]
			if x.entry.Name != n.name || !accepts(a, x) {
				continue
			}
			if part := min(n.millis, x.millis); part > 0 {
				x.millis -= part
				n.millis -= part
				entry := *x.entry
				entry.Scalar = &sdk.Scalar{Value: sdk.FromMillis(part)}
				taken = append(taken, entry)
			}
		}
	}
	ports, _ := b.pick(a, dice)
	return append(taken, b.takePorts(a, ports)...), ports
}

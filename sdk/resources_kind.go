package sdk

import (
	"reflect"
	"slices"
	"strings"
)

// sameKind tells whether two entries differ at most in amount, so that one can
// be added to the other. Both are in post form.
func sameKind(a, b *Resource) bool {
	if a.Name != b.Name || a.ProviderID != b.ProviderID || !sameShape(a, b) {
		return false
	}
	if a.allocation() != b.allocation() || !slices.EqualFunc(a.Reservations, b.Reservations, sameReservation) {
		return false
	}
	return sameDisk(a.Disk, b.Disk)
}

func sameShape(a, b *Resource) bool {
	return (a.Scalar == nil) == (b.Scalar == nil) && (a.Ranges == nil) == (b.Ranges == nil) && (a.Set == nil) == (b.Set == nil) &&
		(a.Revocable == nil) == (b.Revocable == nil) && (a.Shared == nil) == (b.Shared == nil)
}

// allocation is the role that the entry is allocated to; empty when it is not.
func (x *Resource) allocation() string {
	if x.AllocationInfo == nil {
		return ""
	}
	return x.AllocationInfo.Role
}

// sameDisk ignores the volume, which says how the disk is used and not which
// disk it is.
func sameDisk(a, b *DiskInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return reflect.DeepEqual(a.Persistence, b.Persistence) && reflect.DeepEqual(a.Source, b.Source)
}

func sameReservation(a, b ReservationInfo) bool {
	return a.Type == b.Type && a.Role == b.Role && a.Principal == b.Principal && sameLabels(a.Labels, b.Labels)
}

// sameLabels compares without regard to order; absent and empty are the same.
func sameLabels(a, b *Labels) bool {
	return slices.Equal(sortedLabels(a), sortedLabels(b))
}

func sortedLabels(l *Labels) []Label {
	if l == nil {
		return nil
	}
	sorted := slices.Clone(l.Labels)
	slices.SortFunc(sorted, func(x, y Label) int {
		return strings.Compare(x.Key+"\x00"+x.Value, y.Key+"\x00"+y.Value)
	})
	return sorted
}

// isWhole tells whether the entry is handed out only as a whole: a persistent
// volume, a shared resource, or a disk that cannot be divided.
func (x *Resource) isWhole() bool {
	if x.Shared != nil {
		return true
	}
	if x.Disk == nil {
		return false
	}
	if x.Disk.Persistence != nil {
		return true
	}
	return x.Disk.Source != nil && x.Disk.Source.Type != DiskSourcePath
}

// cloneDeep is a copy of x, in post form, that shares no memory with it, its
// amount in canonical form.
func (x *Resource) cloneDeep() Resource {
	c := *x
	if x.Scalar != nil {
		c.Scalar = &Scalar{Value: FromMillis(Millis(x.Scalar.Value))}
	}
	if x.Ranges != nil {
		ranges := x.Ranges.Canonical()
		c.Ranges = &ranges
	}
	if x.Set != nil {
		set := x.Set.Canonical()
		c.Set = &set
	}
	if x.AllocationInfo != nil {
		c.AllocationInfo = &AllocationInfo{Role: x.AllocationInfo.Role}
	}
	if x.Reservations != nil {
		c.Reservations = cloneAny(reflect.ValueOf(x.Reservations)).Interface().([]ReservationInfo)
	}
	if x.Disk != nil {
		c.Disk = cloneAny(reflect.ValueOf(x.Disk)).Interface().(*DiskInfo)
	}
	if x.Revocable != nil {
		c.Revocable = &RevocableInfo{}
	}
	if x.Shared != nil {
		c.Shared = &SharedInfo{}
	}
	return c
}

// cloneAny copies plain data: pointers, slices and structs of them. It serves
// the rare parts of a resource whose types are many and grow.
func cloneAny(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		c := reflect.New(v.Type().Elem())
		c.Elem().Set(cloneAny(v.Elem()))
		return c
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			c.Index(i).Set(cloneAny(v.Index(i)))
		}
		return c
	case reflect.Struct:
		c := reflect.New(v.Type()).Elem()
		for i := range v.NumField() {
			c.Field(i).Set(cloneAny(v.Field(i)))
		}
		return c
	case reflect.Map:
		c := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			c.SetMapIndex(it.Key(), cloneAny(it.Value()))
		}
		return c
	}
	return v
}

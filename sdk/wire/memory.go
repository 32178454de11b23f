package wire

import "unsafe"

// The functions of this file read the fields of a struct by their address. The
// walk that writes goes by addresses instead of reflect.Values, because it looks
// at many absent fields for each that it writes: that is a third of its time. A
// plan guarantees that an address holds what is read there, and addresses never
// outlive the walk. The walk that reads messages, from strangers, uses reflect.

func stringAt(p unsafe.Pointer) string      { return *(*string)(p) }
func bytesAt(p unsafe.Pointer) []byte       { return *(*[]byte)(p) }
func boolAt(p unsafe.Pointer) bool          { return *(*bool)(p) }
func floatAt(p unsafe.Pointer) float64      { return *(*float64)(p) }
func deref(p unsafe.Pointer) unsafe.Pointer { return *(*unsafe.Pointer)(p) }

// sliceAt is where the elements of any slice stand, and how many they are.
func sliceAt(p unsafe.Pointer) (data unsafe.Pointer, n int) {
	s := *(*[]struct{})(p)
	return unsafe.Pointer(unsafe.SliceData(s)), len(s)
}

func intAt(p unsafe.Pointer, bits int) int64 {
	switch bits {
	case 8:
		return int64(*(*int8)(p))
	case 16:
		return int64(*(*int16)(p))
	case 32:
		return int64(*(*int32)(p))
	}
	return *(*int64)(p)
}

func uintAt(p unsafe.Pointer, bits int) uint64 {
	switch bits {
	case 8:
		return uint64(*(*uint8)(p))
	case 16:
		return uint64(*(*uint16)(p))
	case 32:
		return uint64(*(*uint32)(p))
	}
	return *(*uint64)(p)
}

package wire

import "math"

// sink is a token back end that writes. The walker calls it in the order of the
// tokens; what a token needs in no encoding but one is empty in the others.
type sink interface {
	// declared says whether fields come in the order of their declaration, with
	// the explicit defaults of those that are absent, instead of by number.
	declared() bool

	begin(fields int) // a message of so many fields
	end()
	name(f *field)      // the single value of f follows
	defaulted(f *field) // f is absent and has an explicit default

	beginList(f *field, n int)
	element(f *field, i int) // element i follows
	endList()

	beginTable(f *field, n int)
	entry(f *field, i int, key string) // the value of that key follows
	endEntry()
	endTable()

	writeBool(v bool)
	writeInt(v int64)
	writeUint(v uint64)
	writeFloat(v float64)
	writeString(v string, wrapped bool)
	writeBytes(v []byte)
	writeEnum(name string, number int32)
}

// integral says whether v is written as exactly the integer n by those encodings
// that have a shorter form for it. Minus zero is not.
func integral(v float64) (n int64, ok bool) {
	const exact = 1 << 53
	if v != v || v > exact || v < -exact {
		return 0, false
	}
	n = int64(v)
	return n, float64(n) == v && (n != 0 || !math.Signbit(v))
}

package wire

import "github.com/vmihailenco/msgpack/v5/msgpcode"

func isMap(c byte) bool {
	return msgpcode.IsFixedMap(c) || c == msgpcode.Map16 || c == msgpcode.Map32
}

func isArray(c byte) bool {
	return msgpcode.IsFixedArray(c) || c == msgpcode.Array16 || c == msgpcode.Array32
}

func isUint(c byte) bool {
	return c <= msgpcode.PosFixedNumHigh || (c >= msgpcode.Uint8 && c <= msgpcode.Uint64)
}

func isInt(c byte) bool {
	return c >= msgpcode.NegFixedNumLow || (c >= msgpcode.Int8 && c <= msgpcode.Int64)
}

// describe names the kind of a token, for errors.
func describe(c byte) string {
	switch {
	case isMap(c):
		return "a map"
	case isArray(c):
		return "an array"
	case isUint(c), isInt(c):
		return "an integer"
	case msgpcode.IsString(c):
		return "a string"
	case msgpcode.IsBin(c):
		return "bytes"
	case c == msgpcode.Nil:
		return "nil"
	case c == msgpcode.True, c == msgpcode.False:
		return "a bool"
	case c == msgpcode.Float, c == msgpcode.Double:
		return "a float"
	case msgpcode.IsExt(c):
		return "an extension"
	}
	return "an invalid byte"
}

// skip passes over one value of any kind. The Decoder's own Skip recurses without
// a bound.
func (r *msgpackReader) skip(depth int) error {
	c, err := r.peek()
	if err != nil {
		return err
	}
	n := 0
	switch {
	case isMap(c):
		if n, err = r.mapLen(); err != nil {
			return err
		}
		n *= 2
	case isArray(c):
		if n, err = r.arrayLen(); err != nil {
			return err
		}
	default:
		return r.skipScalar(c)
	}
	if depth >= MaxDepth {
		return invalid("messages nest deeper than %d", MaxDepth)
	}
	for range n {
		if err := r.skip(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

func (r *msgpackReader) skipScalar(c byte) error {
	size := 1
	switch {
	case msgpcode.IsString(c), msgpcode.IsBin(c):
		_, err := r.raw()
		return err
	case msgpcode.IsExt(c):
		_, n, err := r.dec.DecodeExtHeader()
		if err != nil {
			return r.short(err)
		}
		_, err = r.take(n)
		return err
	case c == msgpcode.Uint8, c == msgpcode.Int8:
		size = 2
	case c == msgpcode.Uint16, c == msgpcode.Int16:
		size = 3
	case c == msgpcode.Uint32, c == msgpcode.Int32, c == msgpcode.Float:
		size = 5
	case c == msgpcode.Uint64, c == msgpcode.Int64, c == msgpcode.Double:
		size = 9
	case c == msgpcode.Nil, c == msgpcode.True, c == msgpcode.False, isUint(c), isInt(c):
	default:
		return invalid("the byte 0x%02x begins no value", c)
	}
	_, err := r.take(size)
	return err
}

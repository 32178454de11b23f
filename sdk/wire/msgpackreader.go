package wire

import (
	"io"
	"math"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// msgpackReader is the msgpack source: vmihailenco's Decoder at token level. It is
// itself the buffer that the Decoder reads from, so that it knows what is left,
// and can compare counts with it before anybody allocates. Tokens of one byte,
// which most are, it takes itself.
type msgpackReader struct {
	data []byte
	pos  int
	dec  *msgpack.Decoder
}

var msgpackReaders = sync.Pool{New: func() any {
	r := new(msgpackReader)
	r.dec = msgpack.NewDecoder(r)
	return r
}}

func getMsgpackReader(data []byte) *msgpackReader {
	r := msgpackReaders.Get().(*msgpackReader)
	r.data, r.pos = data, 0
	return r
}

func putMsgpackReader(r *msgpackReader) {
	r.data = nil
	msgpackReaders.Put(r)
}

// Read, ReadByte and UnreadByte are for the Decoder.
func (r *msgpackReader) Read(b []byte) (int, error) {
	if r.pos >= len(r.data) {
		return 0, io.EOF
	}
	n := copy(b, r.data[r.pos:])
	r.pos += n
	return n, nil
}

func (r *msgpackReader) ReadByte() (byte, error) {
	if r.pos >= len(r.data) {
		return 0, io.EOF
	}
	r.pos++
	return r.data[r.pos-1], nil
}

func (r *msgpackReader) UnreadByte() error {
	r.pos--
	return nil
}

func (r *msgpackReader) finish() error {
	if r.pos != len(r.data) {
		return invalid("%d bytes follow the message", len(r.data)-r.pos)
	}
	return nil
}

// peek is the code of the next token.
func (r *msgpackReader) peek() (byte, error) {
	if r.pos >= len(r.data) {
		return 0, r.short(nil)
	}
	return r.data[r.pos], nil
}

// short turns any error of the Decoder into ours: what remains possible after the
// code was checked is that the bytes end.
func (r *msgpackReader) short(_ error) error {
	return invalid("the message ends early, after %d bytes", len(r.data))
}

// expected is the error about a token of the wrong kind.
func (r *msgpackReader) expected(what string, code byte) error {
	return invalid("expects %s, got %s", what, describe(code))
}

// mapLen and arrayLen read a header, and refuse a count that the bytes which are
// left can not hold.
func (r *msgpackReader) mapLen() (int, error) {
	c, err := r.peek()
	if err != nil {
		return 0, err
	}
	if !isMap(c) {
		return 0, r.expected("a map", c)
	}
	n := int(c & msgpcode.FixedMapMask)
	if msgpcode.IsFixedMap(c) {
		r.pos++
	} else if n, err = r.dec.DecodeMapLen(); err != nil {
		return 0, r.short(err)
	}
	return n, r.holds(2*n, n)
}

func (r *msgpackReader) arrayLen() (int, error) {
	c, err := r.peek()
	if err != nil {
		return 0, err
	}
	if !isArray(c) {
		return 0, r.expected("an array", c)
	}
	n, err := r.dec.DecodeArrayLen()
	if err != nil {
		return 0, r.short(err)
	}
	return n, r.holds(n, n)
}

func (r *msgpackReader) holds(bytes, n int) error {
	if left := len(r.data) - r.pos; bytes < 0 || bytes > left {
		return invalid("announces %d elements, but only %d bytes are left", n, left)
	}
	return nil
}

func (r *msgpackReader) begin() (frame, error) {
	n, err := r.mapLen()
	return frame{left: n}, err
}

func (r *msgpackReader) next(fr frame, p *plan, depth int) (*field, frame, error) {
	for fr.left > 0 {
		fr.left--
		c, err := r.peek()
		if err != nil {
			return nil, fr, err
		}
		if !isUint(c) {
			return nil, fr, invalid("a key is %s, not a field number", describe(c))
		}
		number := uint64(c)
		if c <= msgpcode.PosFixedNumHigh {
			r.pos++
		} else if number, err = r.dec.DecodeUint64(); err != nil {
			return nil, fr, r.short(err)
		}
		if f := p.field(number); f != nil {
			return f, fr, nil
		}
		if err := r.skip(depth); err != nil {
			return nil, fr, err
		}
	}
	return nil, fr, nil
}

func (r *msgpackReader) null() (bool, error) {
	c, err := r.peek()
	if err != nil || c != msgpcode.Nil {
		return false, err
	}
	r.pos++
	return true, nil
}

func (r *msgpackReader) beginList(_ *field) (frame, int, error) {
	n, err := r.arrayLen()
	return frame{left: n}, n, err
}

func (r *msgpackReader) element(fr frame) (bool, frame, error) {
	fr.left--
	return fr.left >= 0, fr, nil
}

func (r *msgpackReader) gathers() bool { return false }

func (r *msgpackReader) beginTable() (frame, error) { return r.begin() }

func (r *msgpackReader) key(fr frame, _ *field) (string, bool, bool, frame, error) {
	if fr.left == 0 {
		return "", false, false, fr, nil
	}
	fr.left--
	b, err := r.readString(false, 0)
	return string(b), true, true, fr, err
}

func (r *msgpackReader) endEntry(fr frame, _ int) (frame, error) { return fr, nil }

func (r *msgpackReader) readBool() (bool, error) {
	c, err := r.peek()
	if err != nil {
		return false, err
	}
	if c != msgpcode.True && c != msgpcode.False {
		return false, r.expected("a bool", c)
	}
	r.pos++
	return c == msgpcode.True, nil
}

func (r *msgpackReader) readInteger(_ *field) (uint64, bool, error) {
	c, err := r.peek()
	if err != nil {
		return 0, false, err
	}
	switch {
	case c <= msgpcode.PosFixedNumHigh:
		r.pos++
		return uint64(c), false, nil
	case isUint(c):
		v, err := r.dec.DecodeUint64()
		if err != nil {
			return 0, false, r.short(err)
		}
		return v, false, nil
	case isInt(c):
		v, err := r.dec.DecodeInt64()
		if err != nil {
			return 0, false, r.short(err)
		}
		return uint64(v), v < 0, nil
	}
	return 0, false, r.expected("an integer", c)
}

func (r *msgpackReader) readFloat() (float64, error) {
	c, err := r.peek()
	if err != nil {
		return 0, err
	}
	if c == msgpcode.Float || c == msgpcode.Double {
		v, err := r.dec.DecodeFloat64()
		if err != nil {
			return math.NaN(), r.short(err)
		}
		return v, nil
	}
	v, neg, err := r.readInteger(nil)
	if err != nil {
		if !isUint(c) && !isInt(c) {
			err = r.expected("a number", c)
		}
		return 0, err
	}
	if neg {
		return float64(int64(v)), nil
	}
	return float64(v), nil
}

func (r *msgpackReader) readString(_ bool, _ int) ([]byte, error) {
	c, err := r.peek()
	if err != nil {
		return nil, err
	}
	if !msgpcode.IsString(c) {
		return nil, r.expected("a string", c)
	}
	return r.raw()
}

func (r *msgpackReader) readBytes() ([]byte, error) {
	c, err := r.peek()
	if err != nil {
		return nil, err
	}
	if !msgpcode.IsBin(c) && !msgpcode.IsString(c) {
		return nil, r.expected("bytes", c)
	}
	return r.raw()
}

// raw reads the length of a string or of bytes, and takes them from the data.
func (r *msgpackReader) raw() ([]byte, error) {
	if c := r.data[r.pos]; msgpcode.IsFixedString(c) {
		r.pos++
		return r.take(int(c & msgpcode.FixedStrMask))
	}
	n, err := r.dec.DecodeBytesLen()
	if err != nil {
		return nil, r.short(err)
	}
	return r.take(n)
}

func (r *msgpackReader) take(n int) ([]byte, error) {
	if left := len(r.data) - r.pos; n < 0 || n > left {
		return nil, invalid("announces %d bytes, but only %d are left", n, left)
	}
	b := r.data[r.pos : r.pos+n]
	r.pos += n
	return b, nil
}

func (r *msgpackReader) readEnum(t *enumTable) (string, error) {
	v, _, err := r.readInteger(nil)
	if err != nil || int64(v) != int64(int32(v)) {
		return "", err
	}
	return t.names[int32(v)], nil
}

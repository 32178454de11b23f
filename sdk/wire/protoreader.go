package wire

import (
	"encoding/binary"
	"math"
)

// protoReader is the protobuf source. limit is the end of the innermost message,
// list or entry; the frames keep those outside.
type protoReader struct {
	data   []byte
	pos    int
	limit  int
	nested bool // the outermost message, which has no length, was begun
	packed bool // the field that next found is a packed list
}

// protoOutermost and protoSingle mark frames that have no window of their own.
const (
	protoOutermost = -1
	protoSingle    = -2
)

func (r *protoReader) varint() (uint64, error) {
	v, n := binary.Uvarint(r.data[r.pos:r.limit])
	if n == 0 {
		return 0, invalid("the message ends early, at byte %d", r.limit)
	}
	if n < 0 {
		return 0, invalid("the number at byte %d does not fit in 64 bits", r.pos)
	}
	r.pos += n
	return v, nil
}

// length reads a length and compares it with what is left.
func (r *protoReader) length() (int, error) {
	n, err := r.varint()
	if err != nil {
		return 0, err
	}
	if left := r.limit - r.pos; n > uint64(left) {
		return 0, invalid("announces %d bytes, but only %d are left", n, left)
	}
	return int(n), nil
}

// enter opens a window of the length that stands next.
func (r *protoReader) enter() (frame, error) {
	n, err := r.length()
	if err != nil {
		return frame{}, err
	}
	fr := frame{left: r.pos + n, more: r.limit}
	r.limit = fr.left
	return fr, nil
}

func (r *protoReader) begin() (frame, error) {
	if !r.nested {
		r.nested = true
		return frame{more: protoOutermost}, nil
	}
	return r.enter()
}

func (r *protoReader) next(fr frame, p *plan, _ int) (*field, frame, error) {
	for r.pos < r.limit {
		number, wireType, err := r.fieldKey()
		if err != nil {
			return nil, fr, err
		}
		if f := p.field(number); f != nil {
			if wireType == f.wireType() {
				r.packed = false
				return f, fr, nil
			}
			if wireType == wireBytes && f.shape == list && f.wireType() != wireBytes {
				r.packed = true
				return f, fr, nil
			}
		}
		if err := r.skip(wireType); err != nil {
			return nil, fr, err
		}
	}
	if fr.more >= 0 {
		r.limit = fr.more
	}
	return nil, fr, nil
}

func (r *protoReader) fieldKey() (number uint64, wireType byte, err error) {
	key, err := r.varint()
	if err != nil {
		return 0, 0, err
	}
	if key>>3 == 0 || key>>3 > maxNumber {
		return 0, 0, invalid("%d is not a field number, before byte %d", key>>3, r.pos)
	}
	return key >> 3, byte(key & 7), nil
}

// skip passes over a field that is unknown, or known with another wire type.
func (r *protoReader) skip(wireType byte) error {
	n := 0
	switch wireType {
	case wireVarint:
		_, err := r.varint()
		return err
	case wire64:
		n = 8
	case wire32:
		n = 4
	case wireBytes:
		var err error
		if n, err = r.length(); err != nil {
			return err
		}
	case wireStart, wireEnd:
		return invalid("groups are not supported, before byte %d", r.pos)
	default:
		return invalid("%d is not a wire type, before byte %d", wireType, r.pos)
	}
	if n > r.limit-r.pos {
		return invalid("the message ends early, at byte %d", r.limit)
	}
	r.pos += n
	return nil
}

func (r *protoReader) null() (bool, error) { return false, nil }

func (r *protoReader) beginList(_ *field) (frame, int, error) {
	if !r.packed {
		return frame{left: 1, more: protoSingle}, 0, nil
	}
	fr, err := r.enter()
	return fr, 0, err
}

func (r *protoReader) element(fr frame) (bool, frame, error) {
	if fr.more == protoSingle {
		fr.left--
		return fr.left == 0, fr, nil
	}
	if r.pos < r.limit {
		return true, fr, nil
	}
	r.limit = fr.more
	return false, fr, nil
}

func (r *protoReader) gathers() bool { return true }

// An entry of a map is a message {1: key, 2: value} in any order. A frame with
// left < 0 says that the entry was read.
func (r *protoReader) beginTable() (frame, error) { return r.enter() }

func (r *protoReader) key(fr frame, f *field) (string, bool, bool, frame, error) {
	if fr.left < 0 {
		return "", false, false, fr, nil
	}
	var key []byte
	at := -1
	for r.pos < r.limit {
		number, wireType, err := r.fieldKey()
		switch {
		case err != nil:
		case number == 1 && wireType == wireBytes:
			key, err = r.raw()
		default:
			if number == 2 && wireType == f.valueWireType() {
				at = r.pos
			}
			err = r.skip(wireType)
		}
		if err != nil {
			return "", false, false, fr, err
		}
	}
	if at >= 0 {
		r.pos = at
	}
	return string(key), at >= 0, true, fr, nil
}

func (r *protoReader) endEntry(fr frame, _ int) (frame, error) {
	r.pos, r.limit = fr.left, fr.more
	return frame{left: -1}, nil
}

func (r *protoReader) readBool() (bool, error) {
	v, err := r.varint()
	return v != 0, err
}

// readInteger cuts to 32 bits what is declared so, as protobuf does.
func (r *protoReader) readInteger(f *field) (uint64, bool, error) {
	v, err := r.varint()
	if f.kind == kindUint {
		if f.bits == 32 {
			v = uint64(uint32(v))
		}
		return v, false, err
	}
	if f.bits == 32 {
		v = uint64(int64(int32(v)))
	}
	return v, int64(v) < 0, err
}

func (r *protoReader) readFloat() (float64, error) {
	if r.limit-r.pos < 8 {
		return 0, invalid("the message ends early, at byte %d", r.limit)
	}
	v := binary.LittleEndian.Uint64(r.data[r.pos:])
	r.pos += 8
	return math.Float64frombits(v), nil
}

func (r *protoReader) readString(wrapped bool, depth int) ([]byte, error) {
	if wrapped {
		return readWrapped(r, depth)
	}
	return r.raw()
}

func (r *protoReader) readBytes() ([]byte, error) { return r.raw() }

func (r *protoReader) raw() ([]byte, error) {
	n, err := r.length()
	if err != nil {
		return nil, err
	}
	r.pos += n
	return r.data[r.pos-n : r.pos], nil
}

func (r *protoReader) readEnum(t *enumTable) (string, error) {
	v, err := r.varint()
	if err != nil {
		return "", err
	}
	return t.names[int32(v)], nil
}

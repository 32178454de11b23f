package wire

import (
	"encoding/binary"
	"math"
)

// protoWriter is the protobuf sink. The length of a nested message is not known
// before it is written: one byte is kept for it, and the message moves up when it
// turns out to need more.
type protoWriter struct {
	buf    []byte
	starts []int // where the length bytes of the open messages stand; -1 for the outermost
	room   [16]int
}

// The wire types of proto2 that Proffer's messages use, and fixed32 to skip it.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wireStart  = 3
	wireEnd    = 4
	wire32     = 5
)

// wireType is the wire type of a field's key: entries of a map are messages.
func (f *field) wireType() byte {
	if f.shape == table {
		return wireBytes
	}
	return f.valueWireType()
}

func (f *field) valueWireType() byte {
	switch f.kind {
	case kindBool, kindInt, kindUint, kindEnum:
		return wireVarint
	case kindFloat:
		return wire64
	}
	return wireBytes
}

func (w *protoWriter) varint(v uint64) { w.buf = binary.AppendUvarint(w.buf, v) }

func (w *protoWriter) open() {
	w.starts = append(w.starts, len(w.buf))
	w.buf = append(w.buf, 0)
}

func (w *protoWriter) shut() {
	last := len(w.starts) - 1
	start := w.starts[last]
	w.starts = w.starts[:last]
	if start < 0 {
		return
	}
	n := len(w.buf) - start - 1
	if n < 0x80 {
		w.buf[start] = byte(n)
		return
	}
	var length [binary.MaxVarintLen64]byte
	size := binary.PutUvarint(length[:], uint64(n))
	w.buf = append(w.buf, length[1:size]...) // room; the bytes are overwritten
	copy(w.buf[start+size:], w.buf[start+1:start+1+n])
	copy(w.buf[start:], length[:size])
}

func (w *protoWriter) declared() bool { return false }

func (w *protoWriter) begin(_ int) {
	if len(w.starts) == 0 {
		w.starts = append(w.starts, -1)
		return
	}
	w.open()
}

func (w *protoWriter) end()               { w.shut() }
func (w *protoWriter) name(f *field)      { w.varint(f.tag) }
func (w *protoWriter) defaulted(_ *field) {}

func (w *protoWriter) beginList(_ *field, _ int) {}
func (w *protoWriter) element(f *field, _ int)   { w.varint(f.tag) }
func (w *protoWriter) endList()                  {}

func (w *protoWriter) beginTable(_ *field, _ int) {}

func (w *protoWriter) entry(f *field, _ int, key string) {
	w.varint(f.tag)
	w.open()
	w.varint(1<<3 | wireBytes)
	w.writeString(key, false)
	w.varint(f.elemTag)
}

func (w *protoWriter) endEntry() { w.shut() }
func (w *protoWriter) endTable() {}

func (w *protoWriter) writeBool(v bool) {
	if v {
		w.buf = append(w.buf, 1)
	} else {
		w.buf = append(w.buf, 0)
	}
}

func (w *protoWriter) writeInt(v int64)   { w.varint(uint64(v)) }
func (w *protoWriter) writeUint(v uint64) { w.varint(v) }

func (w *protoWriter) writeFloat(v float64) {
	w.buf = binary.LittleEndian.AppendUint64(w.buf, math.Float64bits(v))
}

// writeString writes a wrapped string as the message {value} that it stands for.
func (w *protoWriter) writeString(v string, wrapped bool) {
	if wrapped {
		w.open()
		w.varint(1<<3 | wireBytes)
		defer w.shut()
	}
	w.varint(uint64(len(v)))
	w.buf = append(w.buf, v...)
}

func (w *protoWriter) writeBytes(v []byte) {
	w.varint(uint64(len(v)))
	w.buf = append(w.buf, v...)
}

func (w *protoWriter) writeEnum(_ string, number int32) { w.varint(uint64(int64(number))) }

package wire

import (
	"sync"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// msgpackWriter is the msgpack sink: vmihailenco's Encoder at token level, with
// itself as the buffer that the Encoder writes to, so that no token can fail.
// Tokens of one byte, which most are, it puts there itself.
type msgpackWriter struct {
	buf []byte
	enc *msgpack.Encoder
}

var msgpackWriters = sync.Pool{New: func() any {
	w := new(msgpackWriter)
	w.enc = msgpack.NewEncoder(w)
	return w
}}

func encodeMsgpack(buf []byte, p *plan, v unsafe.Pointer) ([]byte, error) {
	w := msgpackWriters.Get().(*msgpackWriter)
	w.buf = buf
	err := (&encoder{out: w}).message(p, v)
	buf, w.buf = w.buf, nil
	msgpackWriters.Put(w)
	return buf, err
}

// Write and WriteByte are for the Encoder.
func (w *msgpackWriter) Write(b []byte) (int, error) {
	w.buf = append(w.buf, b...)
	return len(b), nil
}

func (w *msgpackWriter) WriteByte(c byte) error {
	w.buf = append(w.buf, c)
	return nil
}

func (w *msgpackWriter) declared() bool { return false }

func (w *msgpackWriter) begin(fields int) {
	if fields <= int(msgpcode.FixedMapMask) {
		w.buf = append(w.buf, msgpcode.FixedMapLow|byte(fields))
		return
	}
	_ = w.enc.EncodeMapLen(fields)
}

func (w *msgpackWriter) end() {}

func (w *msgpackWriter) name(f *field) {
	if f.number <= int32(msgpcode.PosFixedNumHigh) {
		w.buf = append(w.buf, byte(f.number))
		return
	}
	_ = w.enc.EncodeUint(uint64(f.number))
}

func (w *msgpackWriter) defaulted(_ *field) {}

func (w *msgpackWriter) beginList(f *field, n int) {
	w.name(f)
	_ = w.enc.EncodeArrayLen(n)
}

func (w *msgpackWriter) element(_ *field, _ int) {}
func (w *msgpackWriter) endList()                {}

func (w *msgpackWriter) beginTable(f *field, n int) {
	w.name(f)
	_ = w.enc.EncodeMapLen(n)
}

func (w *msgpackWriter) entry(_ *field, _ int, key string) { _ = w.enc.EncodeString(key) }
func (w *msgpackWriter) endEntry()                         {}
func (w *msgpackWriter) endTable()                         {}

func (w *msgpackWriter) writeBool(v bool)   { _ = w.enc.EncodeBool(v) }
func (w *msgpackWriter) writeInt(v int64)   { _ = w.enc.EncodeInt(v) }
func (w *msgpackWriter) writeUint(v uint64) { _ = w.enc.EncodeUint(v) }

// writeFloat takes the shortest form that is exact: most quantities are whole
// numbers or short fractions.
func (w *msgpackWriter) writeFloat(v float64) {
	if n, ok := integral(v); ok {
		_ = w.enc.EncodeInt(n)
	} else if short := float32(v); float64(short) == v {
		_ = w.enc.EncodeFloat32(short)
	} else {
		_ = w.enc.EncodeFloat64(v)
	}
}

func (w *msgpackWriter) writeString(v string, _ bool) {
	if len(v) <= int(msgpcode.FixedStrMask) {
		w.buf = append(append(w.buf, msgpcode.FixedStrLow|byte(len(v))), v...)
		return
	}
	_ = w.enc.EncodeString(v)
}

// writeBytes never writes nil, which would mean absent.
func (w *msgpackWriter) writeBytes(v []byte) {
	_ = w.enc.EncodeBytesLen(len(v))
	w.buf = append(w.buf, v...)
}

func (w *msgpackWriter) writeEnum(_ string, number int32) {
	if number >= 0 && number <= int32(msgpcode.PosFixedNumHigh) {
		w.buf = append(w.buf, byte(number))
		return
	}
	_ = w.enc.EncodeInt(int64(number))
}

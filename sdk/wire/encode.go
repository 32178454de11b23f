package wire

import (
	"math"
	"math/bits"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/profferhq/proffer/sdk"
)

// encoder is the walk through a value that is written.
type encoder struct {
	out   sink
	depth int
}

// encodeMessage adds the message at v to dst. Without a dst the bytes are made in
// a pooled buffer, so that the result is one allocation of its own size.
func encodeMessage(e Encoding, dst []byte, p *plan, v unsafe.Pointer) (out []byte, err error) {
	scratch := scratches.Get().(*[]byte)
	buf := dst
	if dst == nil {
		buf = (*scratch)[:0]
	}
	switch e {
	case Msgpack:
		buf, err = encodeMsgpack(buf, p, v)
	case JSON:
		w := &jsonWriter{buf: buf}
		err = (&encoder{out: w}).message(p, v)
		buf = w.buf
	case Protobuf:
		w := &protoWriter{buf: buf}
		w.starts = w.room[:0]
		err = (&encoder{out: w}).message(p, v)
		buf = w.buf
	default:
		err = sdk.Errorf(sdk.CodeUnsupported, "", "encoding %d does not exist", e)
	}
	if dst != nil {
		scratches.Put(scratch)
		return buf, err
	}
	if err == nil {
		out = append(make([]byte, 0, len(buf)), buf...)
	}
	if cap(buf) <= maxScratch {
		*scratch = buf
	}
	scratches.Put(scratch)
	return out, err
}

func (e *encoder) message(p *plan, v unsafe.Pointer) error {
	if e.depth++; e.depth > MaxDepth {
		return invalid("messages nest deeper than %d", MaxDepth)
	}
	var present uint64
	for i := range p.fields {
		if f := &p.fields[i]; f.present(unsafe.Add(v, f.offset)) {
			present |= f.bit
		}
	}
	if p.required&^present != 0 {
		return within(invalid("is required"), p.missing(present))
	}
	order, declared := p.byNumber, e.out.declared()
	if declared {
		order = p.declared
	}
	e.out.begin(bits.OnesCount64(present))
	for _, f := range order {
		if present&f.bit != 0 {
			if err := e.field(f, unsafe.Add(v, f.offset)); err != nil {
				return within(err, f.name)
			}
		} else if declared && f.jsonDef != nil {
			e.out.defaulted(f)
		}
	}
	e.out.end()
	e.depth--
	return nil
}

// present says whether the field at v is written. What is required is, unless it
// is a pointer or an enumeration that says nothing.
func (f *field) present(v unsafe.Pointer) bool {
	switch f.shape {
	case list:
		_, n := sliceAt(v)
		return n > 0
	case table:
		return deref(v) != nil && reflect.NewAt(f.typ, v).Elem().Len() > 0
	}
	switch {
	case f.pointer:
		return deref(v) != nil
	case f.kind == kindEnum:
		return stringAt(v) != ""
	case f.required:
		return true
	}
	switch f.kind {
	case kindString:
		return stringAt(v) != ""
	case kindBytes:
		return len(bytesAt(v)) > 0
	case kindBool:
		return boolAt(v)
	case kindInt:
		return intAt(v, f.bits) != 0
	case kindUint:
		return uintAt(v, f.bits) != 0
	case kindFloat:
		return math.Float64bits(floatAt(v)) != 0
	}
	return !reflect.NewAt(f.typ, v).Elem().IsZero()
}

func (e *encoder) field(f *field, v unsafe.Pointer) error {
	switch f.shape {
	case list:
		return e.list(f, v)
	case table:
		return e.table(f, v)
	}
	e.out.name(f)
	if f.pointer {
		v = deref(v)
	}
	return e.value(f, v)
}

func (e *encoder) list(f *field, v unsafe.Pointer) error {
	data, n := sliceAt(v)
	size := f.typ.Elem().Size()
	e.out.beginList(f, n)
	for i := range n {
		elem := unsafe.Add(data, uintptr(i)*size)
		if f.indirect {
			if elem = deref(elem); elem == nil {
				return at(invalid("is nil"), i)
			}
		}
		e.out.element(f, i)
		if err := e.value(f, elem); err != nil {
			return at(err, i)
		}
	}
	e.out.endList()
	return nil
}

// table writes the entries in the order of their keys, so that equal values are
// equal bytes.
func (e *encoder) table(f *field, v unsafe.Pointer) error {
	m := reflect.NewAt(f.typ, v).Elem()
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	e.out.beginTable(f, len(keys))
	elem := reflect.New(f.typ.Elem()) // a map's own elements have no address
	for i, k := range keys {
		key := k.String()
		if !utf8.ValidString(key) {
			return under(invalid("the key is not valid UTF-8"), key)
		}
		elem.Elem().Set(m.MapIndex(k))
		at := elem.UnsafePointer()
		if f.indirect {
			if at = deref(at); at == nil {
				return under(invalid("is nil"), key)
			}
		}
		e.out.entry(f, i, key)
		if err := e.value(f, at); err != nil {
			return under(err, key)
		}
		e.out.endEntry()
	}
	e.out.endTable()
	return nil
}

// value writes one value, with lists, maps and pointers taken off.
func (e *encoder) value(f *field, v unsafe.Pointer) error {
	switch f.kind {
	case kindMessage:
		return e.message(f.message, v)
	case kindString:
		s := stringAt(v)
		if !utf8.ValidString(s) {
			return invalid("is not valid UTF-8")
		}
		e.out.writeString(s, f.wrapped)
	case kindEnum:
		name := stringAt(v)
		n, err := f.enum.number(name)
		if err != nil {
			return err
		}
		e.out.writeEnum(name, n)
	case kindFloat:
		x := floatAt(v)
		if x != x {
			return invalid("is not a number")
		}
		e.out.writeFloat(x)
	case kindBool:
		e.out.writeBool(boolAt(v))
	case kindInt:
		e.out.writeInt(intAt(v, f.bits))
	case kindUint:
		e.out.writeUint(uintAt(v, f.bits))
	case kindBytes:
		e.out.writeBytes(bytesAt(v))
	}
	return nil
}

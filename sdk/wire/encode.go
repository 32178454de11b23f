package wire

import (
	"math"
	"math/bits"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/profferhq/proffer/sdk"
)

// encoder is the walk through a value that is written.
type encoder struct {
	out   sink
	depth int
}

func encodeMessage(e Encoding, dst []byte, p *plan, v reflect.Value) ([]byte, error) {
	switch e {
	case Msgpack:
		w := getMsgpackWriter(dst)
		defer putMsgpackWriter(w)
		err := (&encoder{out: w}).message(p, v)
		return w.buf, err
	case JSON:
		w := getJSONWriter(dst)
		defer putJSONWriter(w)
		err := (&encoder{out: w}).message(p, v)
		return w.buf, err
	case Protobuf:
		w := getProtoWriter(dst)
		defer putProtoWriter(w)
		err := (&encoder{out: w}).message(p, v)
		return w.buf, err
	}
	return nil, sdk.Errorf(sdk.CodeUnsupported, "", "encoding %d does not exist", e)
}

func (e *encoder) message(p *plan, v reflect.Value) error {
	if e.depth++; e.depth > MaxDepth {
		return invalid("messages nest deeper than %d", MaxDepth)
	}
	var present uint64
	for i := range p.fields {
		if f := &p.fields[i]; f.present(v.Field(f.index)) {
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
			if err := e.field(f, v.Field(f.index)); err != nil {
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

// present says whether a field is written. What is required is, unless it is a
// pointer or an enumeration that says nothing.
func (f *field) present(v reflect.Value) bool {
	switch {
	case f.shape != single:
		return v.Len() > 0
	case f.pointer:
		return !v.IsNil()
	case f.kind == kindEnum:
		return v.Len() > 0
	case f.required:
		return true
	}
	switch f.kind {
	case kindString, kindBytes:
		return v.Len() > 0
	case kindBool:
		return v.Bool()
	case kindInt:
		return v.Int() != 0
	case kindUint:
		return v.Uint() != 0
	case kindFloat:
		return math.Float64bits(v.Float()) != 0
	}
	return !v.IsZero()
}

func (e *encoder) field(f *field, v reflect.Value) error {
	switch f.shape {
	case list:
		return e.list(f, v)
	case table:
		return e.table(f, v)
	}
	e.out.name(f)
	if f.pointer {
		v = v.Elem()
	}
	return e.value(f, v)
}

func (e *encoder) list(f *field, v reflect.Value) error {
	n := v.Len()
	e.out.beginList(f, n)
	for i := range n {
		elem := v.Index(i)
		if f.indirect {
			if elem.IsNil() {
				return at(invalid("is nil"), i)
			}
			elem = elem.Elem()
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
func (e *encoder) table(f *field, v reflect.Value) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		switch x, y := a.String(), b.String(); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	e.out.beginTable(f, len(keys))
	for i, k := range keys {
		key, elem := k.String(), v.MapIndex(k)
		if !utf8.ValidString(key) {
			return under(invalid("the key is not valid UTF-8"), key)
		}
		if f.indirect {
			if elem.IsNil() {
				return under(invalid("is nil"), key)
			}
			elem = elem.Elem()
		}
		e.out.entry(f, i, key)
		if err := e.value(f, elem); err != nil {
			return under(err, key)
		}
		e.out.endEntry()
	}
	e.out.endTable()
	return nil
}

// value writes one value, with lists, maps and pointers taken off.
func (e *encoder) value(f *field, v reflect.Value) error {
	switch f.kind {
	case kindMessage:
		return e.message(f.message, v)
	case kindString:
		s := v.String()
		if !utf8.ValidString(s) {
			return invalid("is not valid UTF-8")
		}
		e.out.writeString(s, f.wrapped)
	case kindEnum:
		n, err := f.enum.number(v.String())
		if err != nil {
			return err
		}
		e.out.writeEnum(v.String(), n)
	case kindFloat:
		x := v.Float()
		if x != x {
			return invalid("is not a number")
		}
		e.out.writeFloat(x)
	case kindBool:
		e.out.writeBool(v.Bool())
	case kindInt:
		e.out.writeInt(v.Int())
	case kindUint:
		e.out.writeUint(v.Uint())
	case kindBytes:
		e.out.writeBytes(v.Bytes())
	}
	return nil
}

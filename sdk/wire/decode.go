package wire

import (
	"math"
	"reflect"
	"sync"
	"unicode/utf8"

	"github.com/profferhq/proffer/sdk"
)

// A message may become at most expansion times its own length in memory, plus a
// base, so that a small body of empty messages does not become a large one. The
// worst that our vocabulary needs is a list of tiny resources, at about 40.
const (
	expansion     = 64
	expansionBase = 64 << 10
)

// decoder is the walk through a value that is read.
type decoder struct {
	in     source
	depth  int
	budget int // bytes that may still be allocated for lists, maps and pointers
	recent [128]string
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

func decodeMessage(e Encoding, data []byte, p *plan, v reflect.Value) error {
	d := decoders.Get().(*decoder)
	defer func() {
		d.in = nil
		decoders.Put(d)
	}()
	d.depth, d.budget = 0, expansion*len(data)+expansionBase
	switch e {
	case Msgpack:
		r := getMsgpackReader(data)
		defer putMsgpackReader(r)
		d.in = r
		if err := d.message(p, v, false); err != nil {
			return err
		}
		return r.finish()
	case JSON:
		r := &jsonReader{data: data}
		d.in = r
		if !utf8.Valid(data) {
			return invalid("the text is not valid UTF-8")
		}
		if err := d.message(p, v, false); err != nil {
			return err
		}
		return r.finish()
	case Protobuf:
		r := &protoReader{data: data, limit: len(data)}
		d.in = r
		return d.message(p, v, false)
	}
	return sdk.Errorf(sdk.CodeUnsupported, "", "encoding %d does not exist", e)
}

func (d *decoder) spend(n int) error {
	if d.budget -= n; d.budget < 0 {
		return invalid("the message would take more than %d times its length in memory", expansion)
	}
	return nil
}

// message reads a message into v. merge says that v holds an earlier occurrence
// of it, which was complete.
func (d *decoder) message(p *plan, v reflect.Value, merge bool) error {
	if d.depth++; d.depth > MaxDepth {
		return invalid("messages nest deeper than %d", MaxDepth)
	}
	fr, err := d.in.begin()
	if err != nil {
		return err
	}
	var seen uint64
	for {
		var f *field
		f, fr, err = d.in.next(fr, p, d.depth)
		if err != nil {
			return err
		}
		if f == nil {
			break
		}
		fv := v.Field(f.index)
		null, err := d.in.null()
		if err != nil {
			return within(err, f.name)
		}
		if null {
			fv.SetZero()
			seen &^= f.bit
			continue
		}
		ok, err := d.field(f, fv, seen&f.bit != 0)
		if err != nil {
			return within(err, f.name)
		}
		if ok {
			seen |= f.bit
		}
	}
	if p.required&^seen != 0 && !merge {
		return within(invalid("is required"), p.missing(seen))
	}
	d.depth--
	return nil
}

// field reads one occurrence of a field; again says that it is not the first. It
// tells whether there was something to read: an unknown enumeration is nothing.
func (d *decoder) field(f *field, v reflect.Value, again bool) (bool, error) {
	switch f.shape {
	case list:
		return true, d.list(f, v)
	case table:
		return true, d.table(f, v)
	}
	merge := again && f.kind == kindMessage && d.in.gathers()
	if again && !merge {
		v.SetZero()
	}
	if !f.pointer {
		return d.value(f, v, merge)
	}
	if v.IsNil() {
		if err := d.spend(f.size); err != nil {
			return false, err
		}
		v.Set(reflect.New(f.elem))
	}
	ok, err := d.value(f, v.Elem(), merge)
	if !ok {
		v.SetZero()
	}
	return ok, err
}

func (d *decoder) list(f *field, v reflect.Value) error {
	fr, count, err := d.in.beginList(f)
	if err != nil {
		return err
	}
	if !d.in.gathers() {
		v.SetZero()
	}
	if count > 0 {
		if err := d.spend(count * f.size); err != nil {
			return err
		}
		v.Grow(count)
	}
	n := v.Len()
	for i := 0; ; i++ {
		var ok bool
		ok, fr, err = d.in.element(fr)
		if err != nil {
			return at(err, i)
		}
		if !ok {
			return nil
		}
		null, err := d.in.null()
		if err != nil {
			return at(err, i)
		}
		if null {
			continue
		}
		if count == 0 {
			if err := d.spend(f.size); err != nil {
				return at(err, i)
			}
		}
		if n == v.Cap() {
			v.Grow(1)
		}
		v.SetLen(n + 1)
		ok, err = d.target(f, v.Index(n)) // which is zero: nothing ever stood there
		if err != nil {
			return at(err, i)
		}
		if !ok {
			v.SetLen(n)
			continue
		}
		n++
	}
}

// target reads an element of a list or map, which may be behind a pointer.
func (d *decoder) target(f *field, v reflect.Value) (bool, error) {
	if f.indirect {
		v.Set(reflect.New(f.elem))
		v = v.Elem()
	}
	return d.value(f, v, false)
}

func (d *decoder) table(f *field, v reflect.Value) error {
	fr, err := d.in.beginTable()
	if err != nil {
		return err
	}
	if !d.in.gathers() || v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for {
		key, value, ok, next, err := d.in.key(fr, f)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if !utf8.ValidString(key) {
			return under(invalid("the key is not valid UTF-8"), key)
		}
		fr = next
		if err := d.spend(f.size + len(key) + 64); err != nil {
			return under(err, key)
		}
		null := false
		if value {
			if null, err = d.in.null(); err != nil {
				return under(err, key)
			}
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		switch {
		case null:
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), reflect.Value{})
		case value:
			if ok, err = d.target(f, elem); err != nil {
				return under(err, key)
			}
		case f.kind == kindMessage && f.message.required != 0:
			return under(within(invalid("is required"), f.message.missing(0)), key)
		}
		if ok && !null {
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), elem)
		}
		if fr, err = d.in.endEntry(fr, d.depth); err != nil {
			return under(err, key)
		}
	}
	if v.Len() == 0 {
		v.SetZero()
	}
	return nil
}

// value reads one value, with lists, maps and pointers taken off.
func (d *decoder) value(f *field, v reflect.Value, merge bool) (bool, error) {
	switch f.kind {
	case kindMessage:
		return true, d.message(f.message, v, merge)
	case kindString:
		b, err := d.in.readString(f.wrapped, d.depth)
		if err == nil && !utf8.Valid(b) {
			err = invalid("is not valid UTF-8")
		}
		if err != nil {
			return false, err
		}
		v.SetString(d.text(b))
	case kindEnum:
		name, err := d.in.readEnum(f.enum)
		if err != nil || name == "" {
			return false, err
		}
		v.SetString(name)
	case kindFloat:
		x, err := d.in.readFloat()
		if err == nil && math.IsNaN(x) {
			err = invalid("is not a number")
		}
		if err != nil {
			return false, err
		}
		v.SetFloat(x)
	case kindBool:
		b, err := d.in.readBool()
		if err != nil {
			return false, err
		}
		v.SetBool(b)
	case kindInt, kindUint:
		x, neg, err := d.in.readInteger(f)
		if err != nil {
			return false, err
		}
		return true, setInteger(f, v, x, neg)
	case kindBytes:
		b, err := d.in.readBytes()
		if err != nil {
			return false, err
		}
		v.SetBytes(append([]byte{}, b...))
	}
	return true, nil
}

// text makes a string of b. Short ones are looked for among the recent ones: names
// of resources, roles and hosts come again and again.
func (d *decoder) text(b []byte) string {
	n := len(b)
	if n == 0 || n > 24 {
		return string(b)
	}
	slot := &d.recent[(uint(b[0])*7+uint(b[n/2])*31+uint(b[n-1])*61+uint(n)*5)%uint(len(d.recent))]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

// setInteger stores x, which is two's complement when neg, if it fits.
func setInteger(f *field, v reflect.Value, x uint64, neg bool) error {
	if f.kind == kindUint {
		if neg {
			return invalid("must not be negative")
		}
		if v.OverflowUint(x) {
			return invalid("%d does not fit in %d bits", x, f.bits)
		}
		v.SetUint(x)
		return nil
	}
	if !neg && x > math.MaxInt64 || v.OverflowInt(int64(x)) {
		return invalid("does not fit in %d bits", f.bits)
	}
	v.SetInt(int64(x))
	return nil
}

package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

const (
	maxNumber = 1<<29 - 1 // protobuf's largest field number
	maxFields = 64        // sets of fields are one word
	maxDense  = 64
)

// compiler makes the plans of a type and of all that it reaches. Types may be
// recursive: a plan is in built before its fields are compiled.
type compiler struct {
	built map[reflect.Type]*plan
}

func (c *compiler) message(t reflect.Type) (*plan, error) {
	if p, ok := plans.Load(t); ok {
		return p.(*plan), nil
	}
	if p, ok := c.built[t]; ok {
		return p, nil
	}
	p := &plan{typ: t, names: map[string]*field{}, numbers: map[int32]*field{}, size: int(t.Size())}
	c.built[t] = p
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, ok := sf.Tag.Lookup("wire")
		if tag == "-" || (!ok && !sf.IsExported()) {
			continue
		}
		if !ok || !sf.IsExported() {
			return nil, fmt.Errorf("%s.%s needs a wire tag and an exported name, or wire:\"-\"", t, sf.Name)
		}
		f := field{index: i, offset: sf.Offset, typ: sf.Type}
		if err := c.field(&f, sf.Type, tag); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t, sf.Name, err)
		}
		p.fields = append(p.fields, f)
	}
	if len(p.fields) > maxFields {
		return nil, fmt.Errorf("%s has %d fields, at most %d are possible", t, len(p.fields), maxFields)
	}
	return p, p.index()
}

// index fills the lookups of a plan whose fields are complete.
func (p *plan) index() error {
	for i := range p.fields {
		f := &p.fields[i]
		f.bit = 1 << i
		if f.required {
			p.required |= f.bit
		}
		if p.names[f.name] != nil || p.numbers[f.number] != nil {
			return fmt.Errorf("%s has two fields named %q or numbered %d", p.typ, f.name, f.number)
		}
		p.names[f.name] = f
		p.numbers[f.number] = f
		p.declared = append(p.declared, f)
		if f.number < maxDense {
			p.dense = append(p.dense, make([]*field, max(0, int(f.number)+1-len(p.dense)))...)
			p.dense[f.number] = f
		}
	}
	p.byNumber = slices.Clone(p.declared)
	slices.SortFunc(p.byNumber, func(a, b *field) int { return int(a.number - b.number) })
	return nil
}

// field fills f from the Go type and the tag "number,name[,option]…".
func (c *compiler) field(f *field, t reflect.Type, tag string) error {
	parts := strings.Split(tag, ",")
	if len(parts) < 2 || parts[1] == "" {
		return fmt.Errorf("the tag %q is not \"number,name\"", tag)
	}
	n, err := strconv.ParseInt(parts[0], 10, 32)
	if err != nil || n < 1 || n > maxNumber {
		return fmt.Errorf("the field number %q is not one from 1 to %d", parts[0], maxNumber)
	}
	f.number, f.name = int32(n), parts[1]
	def, hasDef := "", false
	for _, option := range parts[2:] {
		switch {
		case option == "required":
			f.required = true
		case option == "value":
			f.wrapped = true
		case strings.HasPrefix(option, "default="):
			def, hasDef = option[len("default="):], true
		default:
			return fmt.Errorf("the tag has an unknown option %q", option)
		}
	}
	if err := c.typed(f, t); err != nil {
		return err
	}
	if f.wrapped && f.kind != kindString {
		return fmt.Errorf("the option value is only for strings")
	}
	f.jsonKey = append(append([]byte{'"'}, f.name...), '"', ':')
	f.tag = uint64(f.number)<<3 | uint64(f.wireType())
	f.elemTag = 2<<3 | uint64(f.valueWireType())
	if hasDef && !f.required {
		return f.setDefault(def)
	}
	return nil
}

// typed takes list, map and pointer off t and fills shape and kind.
func (c *compiler) typed(f *field, t reflect.Type) error {
	switch {
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		f.shape, t = list, t.Elem()
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		f.shape, t = table, t.Elem()
	}
	f.size = int(t.Size())
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
		f.pointer, f.indirect = f.shape == single, f.shape != single
		f.size += int(t.Size())
	}
	f.elem = t
	switch t.Kind() {
	case reflect.Bool:
		f.kind = kindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		f.kind, f.bits = kindInt, t.Bits()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		f.kind, f.bits = kindUint, t.Bits()
	case reflect.Float64:
		f.kind = kindFloat
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			return fmt.Errorf("a %s can not go over the wire", t)
		}
		f.kind = kindBytes
	case reflect.String:
		f.kind = kindString
		if e, ok := reflect.Zero(t).Interface().(interface{ Enum() []sdk.EnumValue }); ok {
			f.kind, f.enum = kindEnum, newEnumTable(t, e.Enum())
		}
	case reflect.Struct:
		f.kind = kindMessage
		p, err := c.message(t)
		f.message = p
		return err
	default:
		return fmt.Errorf("a %s can not go over the wire", t)
	}
	return nil
}

// setDefault turns the default of the tag into the JSON literal that Mesos
// writes: doubles keep their ".0".
func (f *field) setDefault(def string) error {
	if f.shape != single {
		return fmt.Errorf("a list or map can not have a default")
	}
	switch f.kind {
	case kindString, kindEnum:
		f.jsonDef, _ = json.Marshal(def)
		if f.kind == kindEnum {
			if _, ok := f.enum.numbers[def]; !ok {
				return fmt.Errorf("the default %q is not a value of %s", def, f.enum.name)
			}
		}
	case kindBool, kindInt, kindUint, kindFloat:
		if !json.Valid([]byte(def)) {
			return fmt.Errorf("the default %q is not a JSON literal", def)
		}
		f.jsonDef = []byte(def)
	default:
		return fmt.Errorf("messages and bytes can not have a default")
	}
	return nil
}

package wire

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// textFormat writes a message in protobuf's text format, for protoc. It shares
// nothing with the sinks but the names of the plan.
func textFormat(v any) string {
	rv := reflect.ValueOf(v)
	p, err := planOf(rv.Type())
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	textMessage(&b, p, rv)
	return b.String()
}

func textMessage(b *strings.Builder, p *plan, v reflect.Value) {
	for i := range p.fields {
		f := &p.fields[i]
		fv := v.Field(f.index)
		switch {
		case f.shape == list:
			for i := range fv.Len() {
				textField(b, f, fv.Index(i))
			}
		case f.shape == table:
			keys := fv.MapKeys()
			slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
			for _, k := range keys {
				fmt.Fprintf(b, "%s { key: %s\n", f.name, textString(k.String()))
				value := *f
				value.name = "value"
				textField(b, &value, fv.MapIndex(k))
				b.WriteString("}\n")
			}
		case f.pointer && fv.IsNil(), !f.pointer && !f.required && fv.IsZero():
		case f.pointer:
			textField(b, f, fv.Elem())
		default:
			textField(b, f, fv)
		}
	}
}

func textField(b *strings.Builder, f *field, v reflect.Value) {
	if f.kind == kindMessage {
		fmt.Fprintf(b, "%s {\n", f.name)
		textMessage(b, f.message, v)
		b.WriteString("}\n")
		return
	}
	var text string
	switch f.kind {
	case kindString:
		text = textString(v.String())
		if f.wrapped {
			fmt.Fprintf(b, "%s { value: %s }\n", f.name, text)
			return
		}
	case kindBytes:
		text = textString(string(v.Bytes()))
	case kindEnum:
		text = v.String()
	case kindFloat:
		text = strconv.FormatFloat(v.Float(), 'g', -1, 64)
		if math.IsInf(v.Float(), 0) {
			text = strings.ToLower(strings.TrimPrefix(text, "+"))
		}
	default:
		text = fmt.Sprint(v.Interface())
	}
	fmt.Fprintf(b, "%s: %s\n", f.name, text)
}

// textString quotes by octal escapes, which are right for text and bytes alike.
func textString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "\\%03o", c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

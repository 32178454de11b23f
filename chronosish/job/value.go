package job

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// faults gathers what is wrong with a body, a sentence each.
type faults struct {
	sentences []string
	more      int // beyond maxFaults
}

// maxFaults are told. A body may have any number of them.
const maxFaults = 20

// add tells that what stands at path is wrong; text goes on after the path.
func (f *faults) add(path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = path + " " + text
	}
	f.tell(text + ".")
}

func (f *faults) tell(sentence string) {
	if len(f.sentences) == maxFaults {
		f.more++
		return
	}
	f.sentences = append(f.sentences, sentence)
}

// refusal is the answer to the body, or nil if nothing is wrong with it.
func (f *faults) refusal() *Refusal {
	if len(f.sentences) == 0 {
		return nil
	}
	text := strings.Join(f.sentences, " ")
	if f.more > 0 {
		text += fmt.Sprintf(" And %d more.", f.more)
	}
	return Invalid("%s", text)
}

// value is one value of a body, with its place.
type value struct {
	path string
	v    any // of encoding/json, numbers as json.Number
	f    *faults
}

// decode reads the one JSON value of a body. What readers of JSON understand differently,
// bytes that are no UTF-8 and a field that is there twice, is refused.
func decode(body []byte, f *faults) (value, *Refusal) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		err = errors.New("it is empty")
	case err == nil && !utf8.Valid(body):
		err = errors.New("it has bytes that are no UTF-8")
	case err == nil:
		if _, end := d.Token(); end != io.EOF {
			err = fmt.Errorf("something follows the value at byte %d", d.InputOffset())
		} else if name, is := twice(body); is {
			return value{}, Invalid("The body has the field %q twice in one object; leave one of them out.", shorten(name))
		}
	}
	if err != nil {
		return value{}, Invalid("The body is no JSON: %v.", err)
	}
	return value{v: v, f: f}, nil
}

// twice is a name that one object of a valid body has twice.
func twice(body []byte) (name string, is bool) {
	type level struct {
		names map[string]bool // nil of a list
		named bool            // the name of the next value was read
	}
	var open []*level // from the outermost to the innermost
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for {
		t, err := d.Token()
		if err != nil { // the end: it is valid
			return "", false
		}
		if n := len(open); n > 0 && open[n-1].names != nil && !open[n-1].named {
			if name, is := t.(string); is {
				at := open[n-1]
				if at.names[name] {
					return name, true
				}
				at.names[name], at.named = true, true
				continue
			}
		}
		switch t {
		case json.Delim('{'):
			open = append(open, &level{names: map[string]bool{}})
			continue
		case json.Delim('['):
			open = append(open, &level{})
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
		if n := len(open); n > 0 {
			open[n-1].named = false
		}
	}
}

func (v value) expected(what string) {
	is := "an object"
	switch v.v.(type) {
	case nil:
		is = "null"
	case string:
		is = "a text"
	case json.Number:
		is = "a number"
	case bool:
		is = "true or false"
	case []any:
		is = "a list"
	}
	path := v.path
	if path == "" {
		path = "The body"
	}
	v.f.add(path, "must be %s, and is %s", what, is)
}

// text is a text. A number is taken for one: clients use numbers as names.
func (v value) text() string {
	switch s := v.v.(type) {
	case string:
		return s
	case json.Number:
		return s.String()
	}
	v.expected("a text")
	return ""
}

func (v value) truth() bool {
	b, ok := v.v.(bool)
	if !ok {
		v.expected("true or false")
	}
	return b
}

// number is a finite number, or a text that writes one: Chronos's own tools send those.
func (v value) number() float64 {
	var digits string
	switch n := v.v.(type) {
	case json.Number:
		digits = n.String()
	case string:
		digits = strings.TrimSpace(n)
	default:
		v.expected("a number")
		return 0
	}
	x, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		v.f.add(v.path, "must be a number, and is %q", shorten(digits))
		return 0
	}
	return x + 0 // never the negative zero
}

// whole is a whole number of 32 bits; 3.0 is one.
func (v value) whole() int {
	x := v.number()
	if x != math.Trunc(x) || math.Abs(x) > math.MaxInt32 {
		v.f.add(v.path, "must be a whole number of 32 bits, and is %v", x)
		return 0
	}
	return int(x)
}

// list are the elements.
func (v value) list() []value {
	l, ok := v.v.([]any)
	if !ok {
		v.expected("a list")
		return nil
	}
	out := make([]value, len(l))
	for i, e := range l {
		out[i] = value{v.path + "[" + strconv.Itoa(i) + "]", e, v.f}
	}
	return out
}

func (v value) texts() []string {
	var out []string
	for _, e := range v.list() {
		out = append(out, e.text())
	}
	return out
}

// fields hands each field to its reader, sorted by name; those without one are refused
// by name. An explicit null is the same as no field.
func (v value) fields(of string, readers map[string]func(value)) {
	m, ok := v.v.(map[string]any)
	if !ok {
		v.expected("an object")
		return
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if m[key] == nil {
			continue
		}
		path := key
		if v.path != "" {
			path = v.path + "." + key
		}
		if read, ok := readers[key]; ok {
			read(value{path, m[key], v.f})
			continue
		}
		hint := ""
		for known := range readers {
			if strings.EqualFold(known, key) {
				hint = "; it is written " + known
			}
		}
		v.f.add(shorten(path), "is no field of %s%s", of, hint)
	}
}

func text(to *string) func(value)    { return func(v value) { *to = v.text() } }
func number(to *float64) func(value) { return func(v value) { *to = v.number() } }
func whole(to *int) func(value)      { return func(v value) { *to = v.whole() } }
func truth(to *bool) func(value)     { return func(v value) { *to = v.truth() } }

// duration reads a length of time; a bare number is seconds.
func duration(to *Duration) func(value) {
	return func(v value) {
		if _, ok := v.v.(json.Number); ok {
			if n := v.whole(); n < 0 {
				v.f.add(v.path, "must not be negative, and is %d", n)
			} else {
				*to = Seconds(n)
			}
			return
		}
		d, err := ParseDuration(v.text())
		if err != nil {
			v.f.add(v.path, "%v", err)
			return
		}
		*to = d
	}
}

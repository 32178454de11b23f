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
)

// faults gathers what is wrong with a body, a sentence each.
type faults struct{ sentences []string }

// add tells that what stands at path is wrong; text goes on after the path.
func (f *faults) add(path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = path + " " + text
	}
	f.sentences = append(f.sentences, text+".")
}

// refusal is the answer to the body, or nil if nothing is wrong with it.
func (f *faults) refusal() *Refusal {
	if len(f.sentences) == 0 {
		return nil
	}
	return Invalid("%s", strings.Join(f.sentences, " "))
}

// value is one value of a body, with its place.
type value struct {
	path string
	v    any // of encoding/json, numbers as json.Number
	f    *faults
}

// decode reads the one JSON value of a body.
func decode(body []byte, f *faults) (value, *Refusal) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		err = errors.New("it is empty")
	case err == nil:
		if _, end := d.Token(); end != io.EOF {
			err = fmt.Errorf("something follows the value at byte %d", d.InputOffset())
		}
	}
	if err != nil {
		return value{}, Invalid("The body is no JSON: %v.", err)
	}
	return value{v: v, f: f}, nil
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

package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// faults gathers what is wrong with a body: wrong JSON types apart from broken rules,
// because a body with the former is not looked at further.
type faults struct{ types, rules []Detail }

func add(list []Detail, path, text string) []Detail {
	if path == "" {
		path = "/"
	}
	for i := range list {
		if list[i].Path == path {
			list[i].Errors = append(list[i].Errors, text)
			return list
		}
	}
	return append(list, Detail{Path: path, Errors: []string{text}})
}

func (f *faults) wrongType(path, format string, args ...any) {
	f.types = add(f.types, path, fmt.Sprintf(format, args...))
}

func (f *faults) broken(path, format string, args ...any) {
	f.rules = add(f.rules, path, fmt.Sprintf(format, args...))
}

// refusal is the answer to the body, or nil if nothing is wrong with it.
func (f *faults) refusal() *Refusal {
	switch {
	case len(f.types) > 0:
		return &Refusal{Status: statusInvalid, Message: messageWrongJSON, Details: f.types}
	case len(f.rules) > 0:
		return &Refusal{Status: statusInvalid, Message: messageInvalid, Details: f.rules}
	}
	return nil
}

// value is one value of a body, with its place and where to tell what is wrong with it.
type value struct {
	path string
	v    any // of encoding/json, numbers as json.Number
	f    *faults
}

// parse reads the one JSON value of a body.
func parse(body []byte, f *faults) (value, *Refusal) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	if err == nil && d.More() {
		err = fmt.Errorf("something follows the value at byte %d", d.InputOffset())
	}
	if err != nil {
		text := err.Error()
		if len(bytes.TrimSpace(body)) == 0 {
			text = "the body is empty"
		}
		return value{}, &Refusal{Status: statusUnreadable, Message: messageWrongJSON, Details: []Detail{{Path: "/", Errors: []string{text}}}}
	}
	return value{"", v, f}, nil
}

func (v value) typeName() string {
	switch v.v.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case json.Number:
		return "a number"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	}
	return "an object"
}

func (v value) expected(what string) {
	v.f.wrongType(v.path, "must be %s, and is %s", what, v.typeName())
}

func (v value) text() string {
	s, ok := v.v.(string)
	if !ok {
		v.expected("a text")
	}
	return s
}

func (v value) truth() bool {
	b, ok := v.v.(bool)
	if !ok {
		v.expected("true or false")
	}
	return b
}

// number is a finite number.
func (v value) number() float64 {
	n, ok := v.v.(json.Number)
	if !ok {
		v.expected("a number")
		return 0
	}
	x, err := n.Float64()
	if err != nil {
		v.f.wrongType(v.path, "the number %s is too large", shorten(n.String()))
		return 0
	}
	return x + 0 // never the negative zero
}

// whole is a whole number of 32 bits; 3.0 is one.
func (v value) whole() int {
	x := v.number()
	if _, ok := v.v.(json.Number); ok && (x != math.Trunc(x) || math.Abs(x) > math.MaxInt32) {
		v.f.wrongType(v.path, "must be a whole number of 32 bits, and is %s", shorten(string(v.v.(json.Number))))
		return 0
	}
	return int(x)
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// list are the elements; none of them may be null.
func (v value) list() []value {
	l, ok := v.v.([]any)
	if !ok {
		v.expected("a list")
		return nil
	}
	out := make([]value, len(l))
	for i, e := range l {
		out[i] = value{v.path + "(" + strconv.Itoa(i) + ")", e, v.f}
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

// textMap is a map of texts, in which null is absent.
func (v value) textMap() map[string]string {
	var out map[string]string
	v.each(func(key string, e value) {
		if out == nil {
			out = map[string]string{}
		}
		out[key] = e.text()
	})
	return out
}

// each calls do for every field that is not null, sorted by name.
func (v value) each(do func(key string, e value)) {
	m, ok := v.v.(map[string]any)
	if !ok {
		v.expected("an object")
		return
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if m[key] != nil {
			do(key, value{v.path + "/" + key, m[key], v.f})
		}
	}
}

// fields hands each field that is not null to its reader; those without one are
// refused by name. An explicit null is the same as no field.
func (v value) fields(of string, readers map[string]func(value)) {
	v.each(func(key string, e value) {
		if read, ok := readers[key]; ok {
			read(e)
			return
		}
		v.f.broken(e.path, "is no field of %s: %s%s", of, shorten(key), nearest(key, readers))
	})
}

// nearest suggests a field that differs in case only.
func nearest(key string, readers map[string]func(value)) string {
	for _, known := range slices.Sorted(maps.Keys(readers)) {
		if strings.EqualFold(known, key) {
			return "; it is written " + known
		}
	}
	return ""
}

// enum is one of a few words.
func enum[T ~string](v value, words ...T) T {
	s := T(v.text())
	if _, ok := v.v.(string); ok && !slices.Contains(words, s) {
		v.f.broken(v.path, "must be one of %s, and is %q", join(words), shorten(string(s)))
		return words[0]
	}
	return s
}

func join[T ~string](words []T) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}

func text(to *string) func(value)    { return func(v value) { *to = v.text() } }
func number(to *float64) func(value) { return func(v value) { *to = v.number() } }
func whole(to *int) func(value)      { return func(v value) { *to = v.whole() } }
func truth(to *bool) func(value)     { return func(v value) { *to = v.truth() } }

func wholePointer(to **int) func(value) {
	return func(v value) {
		n := v.whole()
		*to = &n
	}
}

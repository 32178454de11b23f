package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
)

// every is one of each message that somebody sends or stores.
func every() []any {
	return []any{sdk.Call{}, sdk.Event{}, sdk.ExecutorCall{}, sdk.ExecutorEvent{}, sdk.Offer{}, sdk.TaskInfo{},
		sdk.OperatorCall{}, sdk.OperatorResponse{}, sdk.OperatorEvent{}, sdk.LaunchSpec{}, sdk.Error{}}
}

// TestSurvives takes random messages through each encoding: what comes back is
// what went in, whichever was used.
func TestSurvives(t *testing.T) {
	for _, zero := range every() {
		typ := reflect.TypeOf(zero)
		t.Run(typ.Name(), func(t *testing.T) {
			p, err := planOf(typ)
			if err != nil {
				t.Fatal(err)
			}
			rapid.Check(t, func(t *rapid.T) {
				v := reflect.New(typ)
				randomMessage(t, p, v.Elem(), 5)
				for _, e := range []Encoding{Msgpack, JSON, Protobuf} {
					survives(t, e, v.Interface())
				}
			})
		})
	}
}

// TestSamplesSurvive does the same with the filled messages of the golden bytes,
// Proffer's own fields included.
func TestSamplesSurvive(t *testing.T) {
	for _, zero := range every() {
		typ := reflect.TypeOf(zero)
		p, err := planOf(typ)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range 6 {
			v := reflect.New(typ)
			(&sampler{n: seed}).fill(p, v.Elem(), 5)
			for _, e := range []Encoding{Msgpack, JSON, Protobuf} {
				survives(t, e, v.Interface())
			}
		}
	}
	for _, s := range goldenSamples() {
		for _, e := range []Encoding{Msgpack, JSON, Protobuf} {
			v := reflect.New(reflect.TypeOf(s.v))
			v.Elem().Set(reflect.ValueOf(s.v))
			survives(t, e, v.Interface())
		}
	}
}

// survives writes v, reads it, and writes that again: the same value, and the same
// bytes. JSON reads the defaults that it wrote.
func survives(t interface {
	Fatalf(format string, args ...any)
}, e Encoding, v any) {
	b, err := Marshal(e, v)
	if err != nil {
		t.Fatalf("write %s: %v", e, err)
	}
	if e == JSON && !json.Valid(b) {
		t.Fatalf("not JSON: %q", b)
	}
	back := reflect.New(reflect.TypeOf(v).Elem())
	if err := Unmarshal(e, b, back.Interface()); err != nil {
		t.Fatalf("read %s: %v\n%q", e, err, b)
	}
	want := v
	if e == JSON {
		again, err := Marshal(JSON, back.Interface())
		if err != nil || string(again) != string(b) {
			t.Fatalf("JSON changes: %v\n%s\n%s", err, b, again)
		}
		copied := reflect.New(back.Type().Elem())
		copied.Elem().Set(reflect.ValueOf(v).Elem())
		if err := Unmarshal(Protobuf, mustMarshal(v), copied.Interface()); err != nil {
			t.Fatalf("%v", err)
		}
		setDefaults(copied.Elem())
		want = copied.Interface()
	}
	if !reflect.DeepEqual(want, back.Interface()) {
		if d := cmp.Diff(want, back.Interface()); d != "" { // to which nil and empty differ as well
			t.Fatalf("%s changes the message: %s\n%q", e, d, b)
		}
	}
}

func mustMarshal(v any) []byte {
	b, err := Marshal(Protobuf, v)
	if err != nil {
		panic(err)
	}
	return b
}

// setDefaults fills absent fields that have an explicit default with it.
func setDefaults(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			setDefaults(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			setDefaults(v.Elem())
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			elem := reflect.New(v.Type().Elem()).Elem()
			elem.Set(v.MapIndex(k))
			setDefaults(elem)
			v.SetMapIndex(k, elem)
		}
	case reflect.Struct:
		p, err := planOf(v.Type())
		if err != nil {
			panic(err)
		}
		for i := range p.fields {
			f := &p.fields[i]
			fv := v.Field(f.index)
			if f.jsonDef != nil && fv.IsZero() {
				if err := json.Unmarshal(f.jsonDef, fv.Addr().Interface()); err != nil {
					panic(err)
				}
			}
			setDefaults(fv)
		}
	}
}

// randomMessage fills each field or leaves it out.
func randomMessage(t *rapid.T, p *plan, v reflect.Value, depth int) {
	for i := range p.fields {
		f := &p.fields[i]
		fv := v.Field(f.index)
		if !f.required && (depth <= 0 || rapid.IntRange(0, 3).Draw(t, "present") != 0) {
			continue
		}
		switch {
		case f.shape == list:
			n := rapid.IntRange(1, 3).Draw(t, "length")
			fv.Set(reflect.MakeSlice(fv.Type(), n, n))
			for i := range n {
				randomValue(t, f, fv.Index(i), depth-1)
			}
		case f.shape == table:
			fv.Set(reflect.MakeMap(fv.Type()))
			for range rapid.IntRange(1, 3).Draw(t, "length") {
				elem := reflect.New(fv.Type().Elem()).Elem()
				randomValue(t, f, elem, depth-1)
				fv.SetMapIndex(reflect.ValueOf(rapid.String().Draw(t, "key")), elem)
			}
		case f.pointer:
			fv.Set(reflect.New(fv.Type().Elem()))
			randomValue(t, f, fv.Elem(), depth-1)
		default:
			randomValue(t, f, fv, depth-1)
		}
	}
}

func randomValue(t *rapid.T, f *field, v reflect.Value, depth int) {
	switch f.kind {
	case kindMessage:
		randomMessage(t, f.message, v, depth)
	case kindString:
		v.SetString(rapid.String().Draw(t, f.name))
	case kindBytes:
		if b := rapid.SliceOf(rapid.Byte()).Draw(t, f.name); len(b) > 0 || f.required || f.shape != single {
			v.SetBytes(b)
		}
	case kindEnum:
		names := []string{}
		for _, name := range f.enum.names {
			names = append(names, name)
		}
		v.SetString(rapid.SampledFrom(slices.Sorted(slices.Values(names))).Draw(t, f.name))
	case kindBool:
		v.SetBool(rapid.Bool().Draw(t, f.name))
	case kindFloat:
		x := rapid.Float64().Draw(t, f.name)
		if math.IsNaN(x) {
			x = 0
		}
		v.SetFloat(x)
	case kindInt:
		v.SetInt(rapid.Int64().Draw(t, f.name) >> (64 - f.bits))
	case kindUint:
		v.SetUint(rapid.Uint64().Draw(t, f.name) >> (64 - f.bits))
	}
}

// TestGoldenCoverage makes sure that the golden samples leave no field out.
func TestGoldenCoverage(t *testing.T) {
	set := map[string]bool{}
	for _, s := range goldenSamples() {
		covered(reflect.ValueOf(s.v), set)
	}
	all := map[string]bool{}
	for _, zero := range protocolRoots {
		reachable(reflect.TypeOf(zero), all, map[reflect.Type]bool{})
	}
	for name := range all {
		if !set[name] {
			t.Errorf("no golden sample has %s", name)
		}
	}
	if len(all) < 450 {
		t.Errorf("only %d fields are reachable", len(all))
	}
}

func covered(v reflect.Value, set map[string]bool) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			covered(v.Index(i), set)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			covered(v.Elem(), set)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			covered(v.MapIndex(k), set)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				set[fmt.Sprintf("%s.%s", v.Type(), v.Type().Field(i).Name)] = true
			}
			covered(v.Field(i), set)
		}
	}
}

func reachable(t reflect.Type, all map[string]bool, seen map[reflect.Type]bool) {
	p, err := planOf(t)
	if err != nil || seen[t] {
		return
	}
	seen[t] = true
	for i := range p.fields {
		if f := &p.fields[i]; f.number < 1000 {
			all[fmt.Sprintf("%s.%s", t, t.Field(f.index).Name)] = true
			if f.message != nil {
				reachable(f.message.typ, all, seen)
			}
		}
	}
}

package wire

import (
	"encoding/json"
	"strconv"
)

// expectedOfRequest says what a JSON request becomes when it is read and written
// again, as slowly and obviously as possible. What may change is exactly this:
//
//   - members that are unknown, null, or an enumeration's unknown name go;
//   - so do fields that are not required and hold the zero value: false, 0, "",
//     an empty list or map, an empty id;
//   - a bare value for a list becomes a list of one;
//   - a number or bool in a string becomes one;
//   - absent fields with an explicit default are written with it.
func expectedOfRequest(p *plan, in map[string]any) map[string]any {
	out := map[string]any{}
	for i := range p.fields {
		f := &p.fields[i]
		v, ok := in[f.name]
		if ok && v != nil {
			if v, ok = expectedOfField(f, v); ok {
				out[f.name] = v
				continue
			}
		}
		if f.jsonDef != nil {
			var def any
			_ = json.Unmarshal(f.jsonDef, &def)
			out[f.name] = def
		}
	}
	return out
}

func expectedOfField(f *field, v any) (_ any, present bool) {
	switch f.shape {
	case list:
		all, ok := v.([]any)
		if !ok {
			all = []any{v}
		}
		var out []any
		for _, e := range all {
			if e, ok := expectedOfValue(f, e); ok && e != nil {
				out = append(out, e)
			}
		}
		return out, len(out) > 0
	case table:
		out := map[string]any{}
		for k, e := range v.(map[string]any) {
			if e, ok := expectedOfValue(f, e); ok && e != nil {
				out[k] = e
			}
		}
		return out, len(out) > 0
	}
	v, ok := expectedOfValue(f, v)
	if !ok || f.required || f.pointer {
		return v, ok
	}
	switch x := v.(type) {
	case bool:
		ok = x
	case float64:
		ok = x != 0
	case string:
		ok = x != ""
	case map[string]any:
		ok = !f.wrapped || x["value"] != ""
	}
	return v, ok
}

func expectedOfValue(f *field, v any) (_ any, known bool) {
	switch x := v.(type) {
	case map[string]any:
		if f.kind == kindMessage {
			return expectedOfRequest(f.message, x), true
		}
		return map[string]any{"value": x["value"]}, true
	case string:
		switch f.kind {
		case kindEnum:
			_, known = f.enum.numbers[x]
			return x, known
		case kindBool:
			return x == "true", true
		case kindInt, kindUint, kindFloat:
			if n, err := strconv.ParseFloat(x, 64); err == nil && x != "Infinity" {
				return n, true
			}
		}
	}
	return v, true
}

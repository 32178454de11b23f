package wire

import "reflect"

// value is the message {"value": "…"} that an id is on the JSON and protobuf wire.
type value struct {
	Value string `wire:"1,value,required"`
}

// valuePlan is its plan. The type is good, so the error can only be nil.
var valuePlan, _ = planOf(reflect.TypeFor[value]())

// readWrapped reads that message, for the sources in which an id is one.
func readWrapped(s source, depth int) ([]byte, error) {
	fr, err := s.begin()
	if err != nil {
		return nil, err
	}
	var text []byte
	seen := false
	for {
		var f *field
		if f, fr, err = s.next(fr, valuePlan, depth+1); err != nil {
			return nil, err
		}
		if f == nil {
			break
		}
		null, err := s.null()
		if err == nil && !null {
			text, err = s.readString(false, depth+1)
		}
		if err != nil {
			return nil, within(err, f.name)
		}
		seen = !null
	}
	if !seen {
		return nil, within(invalid("is required"), "value")
	}
	return text, nil
}

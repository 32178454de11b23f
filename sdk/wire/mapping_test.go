package wire

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/profferhq/proffer/sdk"
)

// TestJSONMapping goes through Mesos's mapping row by row: what is read, and as
// what it is written again. An answer that begins with "error " is the refusal.
func TestJSONMapping(t *testing.T) {
	type row struct{ name, in, out string }
	check := func(v func() any, rows []row) {
		for _, r := range rows {
			t.Run(r.name, func(t *testing.T) {
				m := v()
				got := ""
				if err := Unmarshal(JSON, []byte(r.in), m); err != nil {
					got = "error " + strings.TrimPrefix(err.Error(), "read JSON: ")
				} else if b, err := Marshal(JSON, m); err != nil {
					got = "error " + err.Error()
				} else {
					got = string(b)
				}
				if got != r.out {
					t.Errorf("%s\n got %s\nwant %s", r.in, got, r.out)
				}
			})
		}
	}
	check(func() any { return new(sdk.FrameworkInfo) }, []row{
		{"defaults are written", `{"user":"u","name":"n"}`, `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false}`},
		{"in the order of declaration", `{"checkpoint":true,"name":"n","failover_timeout":5,"user":"u"}`, `{"user":"u","name":"n","failover_timeout":5.0,"checkpoint":true}`},
		{"strings for numbers and bools", `{"user":"u","name":"n","failover_timeout":"12.5","checkpoint":"true"}`, `{"user":"u","name":"n","failover_timeout":12.5,"checkpoint":true}`},
		{"infinity", `{"user":"u","name":"n","failover_timeout":"-Infinity"}`, `{"user":"u","name":"n","failover_timeout":"-Infinity","checkpoint":false}`},
		{"NaN", `{"user":"u","name":"n","failover_timeout":"NaN"}`, `error failover_timeout: expects a number, got the string "NaN"`},
		{"a word for a double", `{"user":"u","name":"n","failover_timeout":"abc"}`, `error failover_timeout: expects a number, got the string "abc"`},
		{"a number for a bool", `{"user":"u","name":"n","checkpoint":1}`, `error checkpoint: expects true or false, got a number`},
		{"a number for a string", `{"user":5,"name":"n"}`, `error user: expects a string, got a number`},
		{"required missing", `{"user":"u"}`, `error name: is required`},
		{"required null", `{"user":null,"name":"n"}`, `error user: is required`},
		{"required but empty", `{"user":"","name":""}`, `{"user":"","name":"","failover_timeout":0.0,"checkpoint":false}`},
		{"null is unset", `{"user":"u","name":"n","id":null,"labels":null,"roles":null}`, `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false}`},
		{"null in a list", `{"user":"u","name":"n","roles":["a",null,"b"]}`, `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false,"roles":["a","b"]}`},
		{"a string for an id", `{"user":"u","name":"n","id":"x"}`, `error id: expects an object, got a string`},
		{"an id without value", `{"user":"u","name":"n","id":{}}`, `error id.value: is required`},
		{"an id with more", `{"user":"u","name":"n","id":{"x":[{}],"value":"i"}}`, `{"user":"u","name":"n","id":{"value":"i"},"failover_timeout":0.0,"checkpoint":false}`},
		{"a bare string for a list", `{"user":"u","name":"n","roles":"a"}`, `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false,"roles":["a"]}`},
		{"a bare object for a list", `{"user":"u","name":"n","capabilities":{"type":"MULTI_ROLE"}}`, `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false,"capabilities":[{"type":"MULTI_ROLE"}]}`},
		{"an empty list", `{"user":"u","name":"n","roles":[]}`, `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false}`},
		{"a wrong element", `{"user":"u","name":"n","capabilities":[{"type":"MULTI_ROLE"},7]}`, `error capabilities[1]: expects an object, got a number`},
		{"unknown name of an optional enumeration", `{"user":"u","name":"n","capabilities":[{"type":"NEW"}]}`, `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false,"capabilities":[{}]}`},
		{"a number for an enumeration", `{"user":"u","name":"n","capabilities":[{"type":1}]}`, `error capabilities[0].type: expects the name of a Capability in a string, got a number`},
		{"a map", `{"user":"u","name":"n","offer_filters":{"b\n":{},"a":{"min_allocatable_resources":{}}}}`, `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false,"offer_filters":{"a":{"min_allocatable_resources":{}},"b\n":{}}}`},
		{"a wrong value in a map", `{"user":"u","name":"n","offer_filters":{"a":{"min_allocatable_resources":5}}}`, `error offer_filters["a"].min_allocatable_resources: expects an object, got a number`},
		{"duplicate keys", `{"user":"u","name":"n","id":{"value":"a"},"id":{"value":"b"},"roles":["x","y"],"roles":["z"]}`, `{"user":"u","name":"n","id":{"value":"b"},"failover_timeout":0.0,"checkpoint":false,"roles":["z"]}`},
		{"a duplicate that is null", `{"user":"u","name":"n","name":null}`, `error name: is required`},
		{"unknown fields", `{"x":{"y":[1,"]",{"z":null}]},"user":"u","name":"n","w":-1.5e+3}`, `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false}`},
		{"text after it", `{"user":"u","name":"n"} x`, `error is not JSON at byte 24: text follows the message`},
		{"blanks around it", " \n\t\r{ \"user\" : \"u\" , \"name\" : \"n\" } \n", `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false}`},
		{"escapes", `{"user":"\"\\\/\b\f\n\r\t\u20ac\ud834\udd1e","name":"\u0000"}`, `{"user":"\"\\/\u0008\u000c\n\r\t€𝄞","name":"\u0000","failover_timeout":0.0,"checkpoint":false}`},
		{"an escaped key", `{"us\u0065r":"u","name":"n"}`, `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false}`},
		{"camel case is unknown", `{"user":"u","name":"n","failoverTimeout":5}`, `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false}`},
	})
	check(func() any { return new(sdk.Attribute) }, []row{
		{"unknown name of a required enumeration", `{"name":"n","type":"NEW"}`, `error type: is required`},
		{"range", `{"name":"n","type":"RANGES","ranges":{"range":{"begin":"31000","end":3.2e4}}}`, `{"name":"n","type":"RANGES","ranges":{"range":[{"begin":31000,"end":32000}]}}`},
		{"negative", `{"name":"n","type":"RANGES","ranges":{"range":[{"begin":-1,"end":0}]}}`, `error ranges.range[0].begin: must not be negative`},
		{"half a port", `{"name":"n","type":"RANGES","ranges":{"range":[{"begin":1.5,"end":0}]}}`, `error ranges.range[0].begin: 1.5 is not an integer of 64 bits`},
		{"64 bits", `{"name":"n","type":"RANGES","ranges":{"range":[{"begin":0,"end":18446744073709551615}]}}`, `{"name":"n","type":"RANGES","ranges":{"range":[{"begin":0,"end":18446744073709551615}]}}`},
		{"65 bits", `{"name":"n","type":"RANGES","ranges":{"range":[{"begin":0,"end":18446744073709551616}]}}`, `error ranges.range[0].end: 18446744073709551616 is not an integer of 64 bits`},
		{"a leading zero", `{"name":"n","type":"SCALAR","scalar":{"value":01}}`, `error scalar.value: is not JSON at byte 46: is not a number`},
		{"small and large doubles", `{"name":"n","type":"SCALAR","scalar":{"value":5e-324}}`, `{"name":"n","type":"SCALAR","scalar":{"value":5e-324}}`},
		{"a double beyond all", `{"name":"n","type":"SCALAR","scalar":{"value":1e999}}`, `error scalar.value: 1e999 is too large for a double`},
	})
	check(func() any { return new(sdk.Acknowledge) }, []row{
		{"base64", `{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"AP8="}`, `{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"AP8="}`},
		{"base64 without padding", `{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"AP8"}`, `error uuid: is not base64 with padding`},
		{"no base64", `{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"***"}`, `error uuid: is not base64 with padding`},
		{"an object for bytes", `{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":{"value":"AAAA"}}`, `error uuid: expects a string of base64, got an object`},
		{"32 bits", `{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":""}`, `{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":""}`},
	})
	check(func() any { return new(sdk.Failure) }, []row{
		{"zero differs from absent", `{"status":0}`, `{"status":0}`},
		{"too large for 32 bits", `{"status":2147483648}`, `error status: does not fit in 32 bits`},
		{"empty object", `{}`, `{}`},
		{"no object", `[]`, `error expects an object, got an array`},
		{"no text", ``, `error is not JSON at byte 0: the text ends early`},
		{"a comma too many", `{"status":1,}`, `error is not JSON at byte 12: expects the name of a member`},
		{"a comma missing", `{"status":1 "x":2}`, `error is not JSON at byte 12: expects a comma or the end of the object`},
	})
}

// TestMsgpackLayout pins the bytes of our own encoding: what stands in checkpoints
// must stay readable.
func TestMsgpackLayout(t *testing.T) {
	half := 0.5
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"a map by field number, ids are strings, enumerations numbers",
			sdk.Call{FrameworkID: "f", Type: sdk.CallKill, Kill: &sdk.Kill{TaskID: "t"}},
			"\x83\x01\xa1f\x02\x06\x06\x81\x01\xa1t"},
		{"lists, bytes, required zeros",
			sdk.Acknowledge{UUID: []byte{0, 255}}, "\x83\x01\xa0\x02\xa0\x03\xc4\x02\x00\xff"},
		{"empty required bytes are not nil", sdk.Acknowledge{}, "\x83\x01\xa0\x02\xa0\x03\xc4\x00"},
		{"a whole float is an integer", sdk.Scalar{Value: 4096}, "\x81\x01\xcd\x10\x00"},
		{"a short float has four bytes", sdk.Filters{RefuseSeconds: &half}, "\x81\x01\xca\x3f\x00\x00\x00"},
		{"another has eight", sdk.Scalar{Value: 0.1}, "\x81\x01\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a"},
		{"own fields from 1000 on", sdk.TaskStatus{TaskID: "t", State: sdk.TaskFailed, WaitStatus: new(int32)},
			"\x83\x01\xa1t\x02\x03\xcd\x03\xe8\x00"},
	} {
		got, err := Marshal(Msgpack, c.v)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

// TestProtobufReading covers what protoc never writes but other writers may.
func TestProtobufReading(t *testing.T) {
	for _, c := range []struct {
		name, in string
		v, want  any
	}{
		{"a packed list", "\x0a\x03\x01\x80\x01", new(capabilities), &capabilities{Numbers: []uint32{1, 128}}},
		{"packed and single", "\x08\x05\x0a\x01\x06\x08\x07", new(capabilities), &capabilities{Numbers: []uint32{5, 6, 7}}},
		{"unknown fields of all wire types", "\x98\x3e\x01\x99\x3e12345678\x9d\x3e1234\x9a\x3e\x02ab\x0a\x03\x0a\x01f",
			new(sdk.Call), &sdk.Call{FrameworkID: "f"}},
		{"a known field with another wire type", "\x08\x01\x10\x06", new(sdk.Call), &sdk.Call{Type: sdk.CallKill}},
		{"an unknown enumeration", "\x10\x63", new(sdk.Call), &sdk.Call{}},
		{"a message in two parts is merged", "\x32\x05\x0a\x03\x0a\x01t\x32\x05\x12\x03\x0a\x01a",
			new(sdk.Call), &sdk.Call{Kill: &sdk.Kill{TaskID: "t", AgentID: "a"}}},
		{"the last of two scalars", "\x10\x06\x10\x0b", new(sdk.Call), &sdk.Call{Type: sdk.CallRequest}},
		{"a map's entry with the value first, and one without", "\x0a\x05\x12\x00\x0a\x01k\x0a\x03\x0a\x01l",
			new(sdk.OfferConstraints), &sdk.OfferConstraints{RoleConstraints: map[string]sdk.RoleConstraints{"k": {}, "l": {}}}},
		{"a negative int32 in ten bytes", "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", new(sdk.Failure), &sdk.Failure{Status: ptr[int32](-1)}},
		{"a negative int32 in five bytes", "\x18\xff\xff\xff\xff\x0f", new(sdk.Failure), &sdk.Failure{Status: ptr[int32](-1)}},
	} {
		if err := Unmarshal(Protobuf, []byte(c.in), c.v); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if d := cmp.Diff(c.want, c.v); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

type capabilities struct {
	Numbers []uint32 `wire:"1,numbers"`
}

func ptr[T any](v T) *T { return &v }

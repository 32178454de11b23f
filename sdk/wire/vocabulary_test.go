package wire

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// protocolRoots are the messages from which the vocabulary is checked.
var protocolRoots = map[string]any{
	"mesos.v1.scheduler.Call":  sdk.Call{},
	"mesos.v1.scheduler.Event": sdk.Event{},
	"mesos.v1.executor.Call":   sdk.ExecutorCall{},
	"mesos.v1.executor.Event":  sdk.ExecutorEvent{},
}

// TestVocabulary compares every message and field that the scheduler's and the
// executor's calls and events reach with package sdk: number, name, label, type
// and default. Omissions and additions must be listed, and no more than are true.
func TestVocabulary(t *testing.T) {
	v := vocabulary{proto: readProtocol(t), seen: map[string]bool{}, used: map[string]bool{}}
	for name, root := range protocolRoots {
		p, err := planOf(reflect.TypeOf(root))
		if err != nil {
			t.Fatal(err)
		}
		v.message(v.proto[name], p)
	}
	for _, key := range slices.Sorted(maps.Keys(allowedOmissions)) {
		if !v.used[key] {
			v.errorf("%s is listed as omitted, but is there or not reached", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(ownFields)) {
		if !v.used[key] {
			v.errorf("%s is listed as our own field, but is not there", key)
		}
	}
	slices.Sort(v.errors)
	for _, e := range slices.Compact(v.errors) {
		t.Error(e)
	}
	if len(v.seen) < 150 {
		t.Errorf("only %d messages were compared", len(v.seen))
	}
}

type vocabulary struct {
	proto  protocol
	seen   map[string]bool
	used   map[string]bool // entries of the lists that were needed
	errors []string
}

func (v *vocabulary) errorf(format string, args ...any) {
	v.errors = append(v.errors, fmt.Sprintf(format, args...))
}

// omitted looks name up in the omissions, and all of it under a star.
func (v *vocabulary) omitted(name string) bool {
	_, ok := allowedOmissions[name]
	v.used[name] = v.used[name] || ok
	return ok
}

func (v *vocabulary) message(m *protoMessage, p *plan) {
	key := m.name + " " + p.typ.String()
	if v.seen[key] {
		return
	}
	v.seen[key] = true
	known := map[string]bool{}
	for _, pf := range m.fields {
		known[pf.name] = true
		path := m.name + "." + pf.name
		f := p.names[pf.name]
		switch {
		case f == nil:
			if !v.omitted(path) {
				v.errorf("%s is not in %s", path, p.typ)
			}
			continue
		case f.number != pf.number:
			v.errorf("%s has the number %d in %s, want %d", path, f.number, p.typ, pf.number)
		case f.required != (pf.label == "required"):
			v.errorf("%s is %q, but required=%v in %s", path, pf.label, f.required, p.typ)
		}
		v.defaults(path, pf, f)
		v.field(m, path, pf, f)
	}
	for i := range p.fields {
		f := &p.fields[i]
		path := m.name + "." + f.name
		if _, ok := ownFields[path]; ok && f.number >= 1000 {
			v.used[path] = true
		} else if !known[f.name] {
			v.errorf("%s of %s is not Mesos's, and not a listed field of our own from 1000 on", path, p.typ)
		}
	}
}

// defaults checks the explicit default: deprecated fields are not written with
// theirs, and where it is not the zero value the field must be able to say zero.
func (v *vocabulary) defaults(path string, pf protoField, f *field) {
	want := pf.def
	if pf.deprecated || pf.label == "required" {
		want = ""
	}
	if got := strings.Trim(string(f.jsonDef), `"`); got != want {
		v.errorf("%s has the default %q, want %q", path, got, want)
	}
	numeric := f.kind == kindInt || f.kind == kindUint || f.kind == kindFloat || f.kind == kindBool
	if want != "" && want != "0.0" && want != "false" && numeric && !f.pointer && path != "mesos.v1.AgentInfo.port" {
		v.errorf("%s has the default %s: it must be a pointer to tell zero from absent", path, want)
	}
}

// scalarKinds are the Go kinds of proto2's scalar types.
var scalarKinds = map[string]struct {
	kind kind
	bits int
}{
	"string": {kindString, 0}, "bytes": {kindBytes, 0}, "bool": {kindBool, 0}, "double": {kindFloat, 0},
	"int32": {kindInt, 32}, "int64": {kindInt, 64}, "uint32": {kindUint, 32}, "uint64": {kindUint, 64},
}

func (v *vocabulary) field(m *protoMessage, path string, pf protoField, f *field) {
	shapes := map[string]shape{"repeated": list, "map": table}
	if f.shape != shapes[pf.label] {
		v.errorf("%s is %q, which does not fit its Go type %s", path, pf.label, f.typ)
		return
	}
	typ := pf.typ
	if pf.label == "map" {
		typ = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(typ, "map<string,"), ">"))
	}
	if want, ok := scalarKinds[typ]; ok {
		if f.kind != want.kind || f.bits != want.bits || f.wrapped {
			v.errorf("%s is a %s, which does not fit its Go type %s", path, typ, f.typ)
		}
		return
	}
	target := v.proto.resolve(m, typ)
	switch {
	case typ == "google.protobuf.Duration":
		v.duration(path, f)
	case target == nil:
		v.errorf("%s has the type %s, which is not in the data file", path, typ)
	case target.enum:
		v.enum(path, target, f)
	case target.isID():
		if f.kind != kindString || !f.wrapped {
			v.errorf("%s is an id, but %s is not a string with the option value", path, f.typ)
		}
	case f.kind != kindMessage:
		v.errorf("%s is the message %s, but has the Go type %s", path, target.name, f.typ)
	default:
		v.message(target, f.message)
	}
}

func (v *vocabulary) duration(path string, f *field) {
	if f.kind != kindMessage || f.message.names["seconds"] == nil || f.message.names["seconds"].number != 1 ||
		f.message.names["nanos"] == nil || f.message.names["nanos"].number != 2 {
		v.errorf("%s is a google.protobuf.Duration, but has the Go type %s", path, f.typ)
	}
}

func (v *vocabulary) enum(path string, want *protoMessage, f *field) {
	if f.kind != kindEnum {
		v.errorf("%s is the enumeration %s, but has the Go type %s", path, want.name, f.typ)
		return
	}
	v.seen[want.name] = true
	for _, value := range want.fields {
		full := want.name + "." + value.name
		if n, ok := f.enum.numbers[value.name]; !ok && !v.omitted(full) {
			v.errorf("%s is not in %s", full, f.enum.name)
		} else if ok && n != value.number {
			v.errorf("%s is %d in %s, want %d", full, n, f.enum.name, value.number)
		}
	}
	for name, n := range f.enum.numbers {
		if n < 1000 && !slices.ContainsFunc(want.fields, func(x protoField) bool { return x.name == name }) {
			v.errorf("%s has the value %s, which is not Mesos's", f.enum.name, name)
		}
	}
}

// allowedOmissions are the fields and values that the vocabulary leaves out, each
// with its reason. There are none: what a part of Proffer does not act upon it
// still has to pass on.
var allowedOmissions = map[string]string{}

// ownFields are Proffer's additions to Mesos's messages.
var ownFields = map[string]string{
	"mesos.v1.AgentInfo.overhead":               "what an agent kept of the machine that it detected",
	"mesos.v1.HealthCheck.report_only":          "a check that never ends its task",
	"mesos.v1.TaskInfo.health_checks":           "more than one health check",
	"mesos.v1.TaskStatus.health_results":        "what each health check has found",
	"mesos.v1.TaskStatus.wait_status":           "tells how a process ended where Mesos has only a sentence",
	"mesos.v1.executor.Call.Update.wait_status": "the same, from the executor to the agent",
	"mesos.v1.executor.Call.Update.process":     "pid and start time of what the default executor started",
	"mesos.v1.executor.Event.Launch.spec":       "how the default executor starts the task",
	"mesos.v1.executor.Event.LaunchGroup.specs": "the same for each task of a group",
}

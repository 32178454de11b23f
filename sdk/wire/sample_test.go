package wire

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// sampler fills messages with values that differ from field to field, edge cases
// included, and always in the same way.
type sampler struct {
	n     int  // values made so far
	mesos bool // leave Proffer's own fields out: protoc does not know them
}

// fill fills every field of a message, down to depth messages below it; below
// that only what is required.
func (s *sampler) fill(p *plan, v reflect.Value, depth int) {
	for i := range p.fields {
		f := &p.fields[i]
		if s.mesos && f.number >= 1000 || (depth <= 0 && !f.required) {
			continue
		}
		fv := v.Field(f.index)
		switch {
		case f.shape == list:
			n := 1 + s.next(2)
			fv.Set(reflect.MakeSlice(fv.Type(), n, n))
			for i := range n {
				s.value(f, fv.Index(i), depth-1)
			}
		case f.shape == table:
			fv.Set(reflect.MakeMap(fv.Type()))
			elem := reflect.New(fv.Type().Elem()).Elem()
			s.value(f, elem, depth-1)
			fv.SetMapIndex(reflect.ValueOf(fmt.Sprintf("key%d", s.n)), elem)
		case f.pointer:
			fv.Set(reflect.New(fv.Type().Elem()))
			s.value(f, fv.Elem(), depth-1)
		default:
			s.value(f, fv, depth-1)
		}
	}
}

// next counts, and gives the count modulo n.
func (s *sampler) next(n int) int {
	s.n++
	return s.n % n
}

func (s *sampler) value(f *field, v reflect.Value, depth int) {
	switch f.kind {
	case kindMessage:
		s.fill(f.message, v, depth)
	case kindString:
		texts := []string{"a", "text %d", "quote \" and \\ %d", "zwölf €\n%d", "\x00\x1f\x7f%d", "𝄞%d", "</script>%d"}
		t := texts[s.next(len(texts))]
		if strings.Contains(t, "%d") {
			t = fmt.Sprintf(t, s.n)
		}
		v.SetString(t)
	case kindBytes:
		v.SetBytes(slices.Repeat([]byte{0, 0xff, byte(s.n)}, 1+s.next(3)))
	case kindEnum:
		names := make([]string, 0, len(f.enum.numbers))
		for _, name := range f.enum.names {
			names = append(names, name)
		}
		slices.Sort(names)
		v.SetString(names[s.next(len(names))])
	case kindBool:
		v.SetBool(true)
	case kindFloat:
		all := []float64{1, 0.1, -2.5, 1e300, math.Inf(1), 4096, 1.0 / 3, 5e-324, 1795349596.206936, math.Inf(-1)}
		v.SetFloat(all[s.next(len(all))])
	case kindInt:
		all := []int64{1, -1, 127, -128, 1 << 20, math.MinInt64, math.MaxInt64, 300}
		x := all[s.next(len(all))]
		if v.OverflowInt(x) {
			x >>= 64 - f.bits
		}
		v.SetInt(x)
	case kindUint:
		all := []uint64{1, 127, 128, 255, 256, 65535, 65536, math.MaxUint64}
		v.SetUint(all[s.next(len(all))] >> (64 - f.bits))
		if v.Uint() == 0 {
			v.SetUint(7)
		}
	}
}

// sample is one message for the golden bytes.
type sample struct {
	name string // of the file
	typ  string // protobuf's name
	new  func() any
	v    any // the message itself, not a pointer
}

// goldenSamples are one filled message for every body of every call and event,
// and some made by hand for what the filler never does.
func goldenSamples() []sample {
	var out []sample
	for _, root := range []struct {
		name, typ string
		v         any
	}{
		{"scheduler-call", "mesos.v1.scheduler.Call", sdk.Call{}},
		{"scheduler-event", "mesos.v1.scheduler.Event", sdk.Event{}},
		{"executor-call", "mesos.v1.executor.Call", sdk.ExecutorCall{}},
		{"executor-event", "mesos.v1.executor.Event", sdk.ExecutorEvent{}},
	} {
		t := reflect.TypeOf(root.v)
		p, err := planOf(t)
		if err != nil {
			panic(err)
		}
		for i := range p.fields {
			f := &p.fields[i]
			if f.kind != kindMessage || f.number >= 1000 {
				continue
			}
			s := &sampler{n: 31 * i, mesos: true}
			v := reflect.New(t).Elem()
			s.fill(p, v, 1) // ids and type; the bodies stay almost empty
			for j := range p.fields {
				if g := &p.fields[j]; g.kind == kindMessage {
					v.Field(g.index).SetZero()
				}
			}
			body := reflect.New(f.message.typ)
			depth := 7
			if f.name == "launch" { // the only one that has room for volumes down to their ends
				depth = 9
			}
			s.fill(f.message, body.Elem(), depth)
			v.Field(f.index).Set(body)
			out = append(out, sample{root.name + "-" + f.name, root.typ, func() any { return reflect.New(t).Interface() }, v.Interface()})
		}
	}
	return append(out, handSamples()...)
}

func handSamples() []sample {
	newCall := func() any { return new(sdk.Call) }
	newEvent := func() any { return new(sdk.Event) }
	zero, no := 0.0, false
	long := strings.Repeat("x", 20000) // its length takes three bytes
	return []sample{
		{"hand-empty", "mesos.v1.scheduler.Call", newCall, sdk.Call{}},
		{"hand-heartbeat", "mesos.v1.scheduler.Event", newEvent, sdk.Event{Type: sdk.EventHeartbeat}},
		{"hand-required-zeros", "mesos.v1.scheduler.Call", newCall, sdk.Call{Type: sdk.CallAccept, Accept: &sdk.Accept{
			Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: []sdk.TaskInfo{{
				Resources: []sdk.Resource{{Type: sdk.ValueScalar, Scalar: &sdk.Scalar{}}, {Type: sdk.ValueRanges,
					Ranges: &sdk.Ranges{Range: []sdk.Range{{}}}}},
				Command: &sdk.CommandInfo{Shell: &no},
			}}}}},
			Filters: &sdk.Filters{RefuseSeconds: &zero},
		}, Revive: &sdk.Revive{}}},
		{"hand-long", "mesos.v1.scheduler.Event", newEvent, sdk.Event{Type: sdk.EventError, Error: &sdk.ErrorEvent{Message: long}}},
		{"hand-long-nested", "mesos.v1.scheduler.Call", newCall, sdk.Call{FrameworkID: sdk.FrameworkID(long[:128]),
			Accept: &sdk.Accept{OfferIDs: []sdk.OfferID{sdk.OfferID(long[:126]), sdk.OfferID(long), ""}}}},
		{"hand-parents", "mesos.v1.scheduler.Event", newEvent, sdk.Event{Update: &sdk.Update{Status: sdk.TaskStatus{
			TaskID: "t", State: sdk.TaskStarting, UUID: []byte("0123456789abcdef"),
			ContainerStatus: &sdk.ContainerStatus{ContainerID: containerChain(20)}}}}},
	}
}

func containerChain(n int) *sdk.ContainerID {
	var c *sdk.ContainerID
	for i := range n {
		c = &sdk.ContainerID{Value: fmt.Sprint(i), Parent: c}
	}
	return c
}

// deref1 takes the pointer off.
func deref1(v any) any { return reflect.ValueOf(v).Elem().Interface() }

package wire

import (
	"reflect"
	"sync"

	"github.com/profferhq/proffer/sdk"
)

// kind is what a field holds, once lists, maps and pointers are taken off.
type kind uint8

const (
	kindBool kind = iota
	kindInt
	kindUint
	kindFloat
	kindString
	kindBytes
	kindEnum
	kindMessage
)

// shape is how often a field holds it.
type shape uint8

const (
	single shape = iota
	list
	table // map[string]X
)

// field is one field of a plan.
type field struct {
	number   int32
	name     string // in JSON and in paths
	index    int    // in the Go struct
	offset   uintptr
	typ      reflect.Type
	elem     reflect.Type // without list, map and pointer
	shape    shape
	kind     kind
	bits     int  // of an integer
	pointer  bool // a single value is behind a pointer
	indirect bool // an element of a list or map is behind a pointer
	wrapped  bool // a string that is the message {"value": …} on the JSON and protobuf wire
	required bool

	enum    *enumTable
	message *plan
	size    int // bytes of one element in memory

	bit     uint64 // of this field in sets of fields
	jsonKey []byte // "name":
	jsonDef []byte // literal of the explicit default, nil without one
	tag     uint64 // protobuf's key: number and wire type
	elemTag uint64 // protobuf's key of the value (number 2) in an entry of a map
}

// plan is how one Go type is walked. It is never changed once it is published.
type plan struct {
	typ      reflect.Type
	fields   []field          // in the order of their declaration, which is JSON's
	byNumber []*field         // in ascending order, which is that of the other two
	declared []*field         // pointers to fields, so that both orders walk alike
	dense    []*field         // by number, for small numbers
	numbers  map[int32]*field // the others
	names    map[string]*field
	required uint64
	size     int
}

// field finds a field by its number; nil when there is none.
func (p *plan) field(number uint64) *field {
	if number < uint64(len(p.dense)) {
		return p.dense[number]
	}
	if number > maxNumber {
		return nil
	}
	return p.numbers[int32(number)]
}

// missing is the name of the first required field that is not in seen.
func (p *plan) missing(seen uint64) string {
	for i := range p.fields {
		if f := &p.fields[i]; f.required && seen&f.bit == 0 {
			return f.name
		}
	}
	return ""
}

// plans caches the plans by reflect.Type. Plans are immutable, and two goroutines
// that compile the same type at once make equal ones.
var plans sync.Map

// planOf is the plan of a struct type, compiled at the first call.
func planOf(t reflect.Type) (*plan, error) {
	if p, ok := plans.Load(t); ok {
		return p.(*plan), nil
	}
	c := compiler{built: map[reflect.Type]*plan{}}
	p, err := c.message(t)
	if err != nil {
		return nil, sdk.Errorf(sdk.CodeInternal, "", "type %s can not go over the wire: %v", t, err)
	}
	for t, p := range c.built {
		plans.LoadOrStore(t, p)
	}
	return p, nil
}

// scratches holds buffers in which messages are made before they are copied to
// their own size. Larger ones than maxScratch are not kept.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

const maxScratch = 1 << 20

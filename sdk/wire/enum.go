package wire

import (
	"reflect"

	"github.com/profferhq/proffer/sdk"
)

// enumTable translates between the names and numbers of one enumeration.
type enumTable struct {
	name    string
	numbers map[string]int32
	names   map[int32]string
}

func newEnumTable(t reflect.Type, values []sdk.EnumValue) *enumTable {
	e := &enumTable{name: t.Name(), numbers: map[string]int32{}, names: map[int32]string{}}
	for _, v := range values {
		e.numbers[v.Name] = v.Number
		if _, taken := e.names[v.Number]; !taken { // proto's allow_alias: the first name is the one written
			e.names[v.Number] = v.Name
		}
	}
	return e
}

// number finds the number of a name.
func (e *enumTable) number(name string) (int32, error) {
	n, ok := e.numbers[name]
	if !ok {
		if len(name) > 64 {
			name = name[:64] + "…"
		}
		return 0, invalid("%q is not a value of %s", name, e.name)
	}
	return n, nil
}

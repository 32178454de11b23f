package sdk

// Scalar is an amount: mesos.v1.Value.Scalar. Resources keep three decimals of it.
type Scalar struct {
	Value float64 `wire:"1,value,required"`
}

// ValueType is Mesos's Value.Type enumeration; the empty value means absent.
type ValueType string

// The values of ValueType, by their names on the wire.
const (
	ValueScalar ValueType = "SCALAR"
	ValueRanges ValueType = "RANGES"
	ValueSet    ValueType = "SET"
	ValueText   ValueType = "TEXT"
)

// Enum lists the names of ValueType with their protobuf numbers.
func (ValueType) Enum() []EnumValue {
	return []EnumValue{
		{"SCALAR", 0},
		{"RANGES", 1},
		{"SET", 2},
		{"TEXT", 3},
	}
}

// Ranges are intervals of integers, such as ports: mesos.v1.Value.Ranges.
type Ranges struct {
	Range []Range `wire:"1,range"`
}

// Range holds the integers from Begin to End, both included: mesos.v1.Value.Range.
type Range struct {
	Begin uint64 `wire:"1,begin,required"`
	End   uint64 `wire:"2,end,required"`
}

// Set is a set of names: mesos.v1.Value.Set.
type Set struct {
	Item []string `wire:"1,item"`
}

// Attribute is a fact about an agent, by which frameworks choose: mesos.v1.Attribute.
// It is never used up.
type Attribute struct {
	Name   string    `wire:"1,name,required"`
	Type   ValueType `wire:"2,type,required"`
	Scalar *Scalar   `wire:"3,scalar"`
	Ranges *Ranges   `wire:"4,ranges"`
	Set    *Set      `wire:"6,set"`
	Text   *Text     `wire:"5,text"`
}

// Text is the message mesos.v1.Value.Text.
type Text struct {
	Value string `wire:"1,value,required"`
}

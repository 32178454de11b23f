package sdk

// CommandInfo is a program to run: mesos.v1.CommandInfo. With Shell (the default)
// Value is a line for /bin/sh -c; without it Value is the program and Arguments are
// its argv, argv[0] included.
type CommandInfo struct {
	URIs        []URI        `wire:"1,uris"`
	Environment *Environment `wire:"2,environment"`
	Shell       *bool        `wire:"6,shell,default=true"`
	Value       string       `wire:"3,value"`
	Arguments   []string     `wire:"7,arguments"`
	User        string       `wire:"5,user"` // empty: the framework's
}

// URI is a file that the fetcher puts into the sandbox before the start:
// mesos.v1.CommandInfo.URI.
type URI struct {
	Value      string `wire:"1,value,required"`       // http, https, file or data
	Executable bool   `wire:"2,executable"`           // chmod +x, and not extracted
	Extract    *bool  `wire:"3,extract,default=true"` // archives are unpacked
	Cache      bool   `wire:"4,cache"`
	OutputFile string `wire:"5,output_file"` // name in the sandbox; empty: the URI's last part
}

// Environment is the message mesos.v1.Environment.
type Environment struct {
	Variables []Variable `wire:"1,variables"`
}

// Variable is the message mesos.v1.Environment.Variable.
type Variable struct {
	Name   string       `wire:"1,name,required"`
	Type   VariableType `wire:"3,type,default=VALUE"`
	Value  string       `wire:"2,value"`
	Secret *Secret      `wire:"4,secret"`
}

// VariableType is Mesos's Environment.Variable.Type enumeration; the empty value means absent.
type VariableType string

// The values of VariableType, by their names on the wire.
const (
	VariableUnknown VariableType = "UNKNOWN"
	VariableValue   VariableType = "VALUE"
	VariableSecret  VariableType = "SECRET"
)

// Enum lists the names of VariableType with their protobuf numbers.
func (VariableType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"VALUE", 1},
		{"SECRET", 2},
	}
}

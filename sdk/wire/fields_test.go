package wire

import (
	"encoding/csv"
	"os"
	"strconv"
	"strings"
	"testing"
)

// protoField is one row of the field data file.
type protoField struct {
	name, typ, label, oneof, def string
	number                       int32
	deprecated                   bool
}

// protoMessage is one message or enumeration of Mesos's v1 protocol.
type protoMessage struct {
	name   string // full, such as mesos.v1.scheduler.Call
	pkg    string
	enum   bool
	fields []protoField
}

// protocol is the whole field data file, by full name.
type protocol map[string]*protoMessage

func readProtocol(t testing.TB) protocol {
	t.Helper()
	f, err := os.Open("testdata/mesos-v1-fields.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	p := protocol{}
	for _, row := range rows[1:] {
		full := row[0] + "." + row[1]
		m := p[full]
		if m == nil {
			m = &protoMessage{name: full, pkg: row[0]}
			p[full] = m
		}
		if row[6] == "empty_message" {
			continue
		}
		m.enum = row[6] == "enum"
		n, err := strconv.Atoi(row[3])
		if err != nil {
			t.Fatalf("%v: %v", row, err)
		}
		m.fields = append(m.fields, protoField{name: row[2], number: int32(n), typ: row[4], label: row[5],
			oneof: row[7], def: strings.Trim(row[8], `"`), deprecated: row[9] == "true"})
	}
	return p
}

// resolve finds what a type name in message m means: protobuf looks in the
// message itself, then outwards.
func (p protocol) resolve(m *protoMessage, name string) *protoMessage {
	for scope := m.name; ; {
		if found := p[scope+"."+name]; found != nil {
			return found
		}
		i := strings.LastIndexByte(scope, '.')
		if i < 0 {
			return p[name]
		}
		scope = scope[:i]
	}
}

// isID says whether a message is {required string value}, which is a string in Go.
func (m *protoMessage) isID() bool {
	return len(m.fields) == 1 && m.fields[0].name == "value" && m.fields[0].typ == "string" &&
		m.fields[0].label == "required" && strings.HasSuffix(m.name, "ID")
}

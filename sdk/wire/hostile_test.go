package wire

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// hostile are bodies made to hurt a reader: each must be refused (or read, where
// it is harmless), fast and without much memory.
func hostile() []struct {
	name string
	e    Encoding
	data []byte
	want string // part of the sentence; empty when the body is harmless
} {
	million := 1 << 20
	keys := func(n int) []byte {
		b := []byte{'{'}
		for i := range n {
			b = append(strconv.AppendInt(append(b, `"k`...), int64(i), 10), `":1,`...)
		}
		return append(b, `"type":"REVIVE"}`...)
	}
	protoKeys := func(n int) []byte {
		var b []byte
		for i := range n {
			b = binary.AppendUvarint(b, uint64(2000+i)<<3)
			b = append(b, 1)
		}
		return b
	}
	return []struct {
		name string
		e    Encoding
		data []byte
		want string
	}{
		{"array32 bomb", Msgpack, []byte{0xdd, 0xff, 0xff, 0xff, 0xff}, "expects a map, got an array"},
		{"array32 bomb in a list", Msgpack, []byte{0x81, 4, 0x81, 1, 0xdd, 0x7f, 0xff, 0xff, 0xff}, "announces 2147483647 elements"},
		{"map32 bomb", Msgpack, []byte{0xdf, 0xff, 0xff, 0xff, 0xff}, "announces 4294967295 elements"},
		{"map32 bomb in an unknown field", Msgpack, []byte{0x81, 99, 0xdf, 0xff, 0xff, 0xff, 0xff}, "announces"},
		{"str32 bomb", Msgpack, []byte{0x81, 1, 0xdb, 0xff, 0xff, 0xff, 0xff}, "announces 4294967295 bytes"},
		{"bin32 bomb in an unknown field", Msgpack, []byte{0x81, 99, 0xc6, 0xff, 0xff, 0xff, 0xff}, "announces"},
		{"ext32 bomb in an unknown field", Msgpack, []byte{0x81, 99, 0xc9, 0xff, 0xff, 0xff, 0xff, 1}, "announces"},
		{"deep arrays", Msgpack, append([]byte{0x81, 99}, bytes.Repeat([]byte{0x91}, million)...), "deeper than 64"},
		{"deep maps", Msgpack, append([]byte{0x81, 99}, bytes.Repeat([]byte{0x81, 1}, million)...), "deeper than 64"},
		{"a million 0x91 alone", Msgpack, bytes.Repeat([]byte{0x91}, million), "expects a map"},
		{"a million empty offers", Msgpack, msgpackList(3, 1, million), "in memory"},
		{"many empty messages", Msgpack, msgpackList(18, 1, million), "is required"},
		{"nil keys", Msgpack, append([]byte{0xde, 0xff, 0xff}, bytes.Repeat([]byte{0xc0}, 2<<16)...), "not a field number"},

		{"deep JSON arrays", JSON, []byte(`{"x":` + strings.Repeat("[", 100_000)), "deeper than 64"},
		{"deep JSON objects", JSON, []byte(strings.Repeat(`{"x":`, 100_000)), "deeper than 64"},
		{"a million keys", JSON, keys(million), ""},
		{"an endless number", JSON, []byte(`{"x":` + strings.Repeat("9", million) + `}`), ""},
		{"an endless number in a field", JSON, []byte(`{"accept":{"filters":{"refuse_seconds":` + strings.Repeat("9", million) + `}}}`), "too large for a double"},
		{"an endless string", JSON, append(bytes.Repeat([]byte(" "), 10), append([]byte(`{"type":"`), bytes.Repeat([]byte(`\"`), million)...)...), "does not end"},
		{"a byte order mark", JSON, []byte("\xef\xbb\xbf{}"), "expects an object"},
		{"a zero byte", JSON, []byte("{}\x00"), "text follows"},
		{"invalid UTF-8", JSON, []byte("{\"x\":\"\xff\"}"), "not valid UTF-8"},
		{"half a surrogate pair", JSON, []byte(`{"framework_id":{"value":"\ud834x"}}`), "surrogate"},
		{"many empty objects", JSON, []byte(`{"reconcile_operations":{"operations":[` + strings.Repeat("{},", million) + `{}]}}`), "is required"},

		{"length bomb", Protobuf, []byte{0x22, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, "announces"},
		{"length one too long", Protobuf, []byte{0x22, 2, 0x0a}, "announces"},
		{"length bomb in an unknown field", Protobuf, []byte{0xfa, 0x3e, 0xff, 0xff, 0xff, 0xff, 0x0f}, "announces"},
		{"packed length bomb", Protobuf, []byte{0x1a, 0x84, 0x80, 0x80, 0x80, 0x10, 1}, "announces"},
		{"an endless varint", Protobuf, append([]byte{0x10}, bytes.Repeat([]byte{0xff}, million)...), "64 bits"},
		{"a group", Protobuf, []byte{0xfb, 0x3e, 0xfc, 0x3e}, "groups are not supported"},
		{"wire type 7", Protobuf, []byte{0xff, 0x3e}, "not a wire type"},
		{"field number 0", Protobuf, []byte{0x00, 0x00}, "not a field number"},
		{"a million unknown fields", Protobuf, protoKeys(million), ""},
		{"invalid UTF-8 in protobuf", Protobuf, []byte{0x0a, 3, 0x0a, 1, 0xff}, "not valid UTF-8"},
	}
}

// msgpackList is a message whose field has, in its field 1, n empty messages.
func msgpackList(number byte, inner byte, n int) []byte {
	b := []byte{0x81, number, 0x81, inner, 0xdd}
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	return append(b, bytes.Repeat([]byte{0x80}, n)...)
}

func TestHostile(t *testing.T) {
	for _, h := range hostile() {
		t.Run(h.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			v := any(new(sdk.Call))
			if strings.Contains(h.name, "offers") {
				v = new(sdk.Event)
			}
			err := Unmarshal(h.e, h.data, v)
			runtime.ReadMemStats(&after)
			if spent := after.TotalAlloc - before.TotalAlloc; spent > expansion*uint64(len(h.data))+1<<20 {
				t.Errorf("%d bytes of body took %d bytes of memory", len(h.data), spent)
			}
			checkSentence(t, err, h.want)
		})
	}
}

func checkSentence(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && err == nil:
		t.Error("was read")
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("the sentence is %q, want %q in it", err, want)
	case want != "" && sdk.CodeOf(err) != sdk.CodeInvalid:
		t.Errorf("the code is %s", sdk.CodeOf(err))
	}
	if err != nil && len(err.Error()) > 500 {
		t.Errorf("the sentence has %d bytes", len(err.Error()))
	}
}

// TestMemoryBound: messages that need much more room in memory than on the wire
// are refused before they get it.
func TestMemoryBound(t *testing.T) {
	n := 1 << 20
	list := []byte(`{"suppress":{"roles":[` + strings.Repeat(`"",`, n) + `""]}}`)
	if err := Unmarshal(JSON, list, new(sdk.Call)); err != nil {
		t.Errorf("a list of a million empty strings is refused: %v", err)
	}
	tiny := msgpackList(1, 1, n) // GetTasks.tasks and the like need required fields; labels do not
	type big struct {
		Room [1]struct{} `wire:"-"`
		A    string      `wire:"1,a"`
		B    string      `wire:"2,b"`
		C    string      `wire:"3,c"`
		D    string      `wire:"4,d"`
		E    string      `wire:"5,e"`
	}
	type middle struct {
		List []big `wire:"1,list"`
	}
	type outer struct {
		Middle *middle `wire:"1,middle"`
	}
	err := Unmarshal(Msgpack, tiny, new(outer))
	checkSentence(t, err, "in memory")
}

// TestDepth: 64 messages are read and written in each encoding, 65 are not.
func TestDepth(t *testing.T) {
	for _, e := range []Encoding{Msgpack, JSON, Protobuf} {
		b, err := Marshal(e, containerChain(MaxDepth))
		if err != nil {
			t.Fatal(err)
		}
		if err := Unmarshal(e, b, new(sdk.ContainerID)); err != nil {
			t.Errorf("%s: %v", e, err)
		}
		_, err = Marshal(e, containerChain(MaxDepth+1))
		checkSentence(t, err, "deeper than 64")
		switch e { // one more around it by hand
		case Msgpack:
			b = append([]byte{0x82, 1, 0xa1, 'x', 2}, b...)
		case JSON:
			b = []byte(`{"value":"x","parent":` + string(b) + `}`)
		case Protobuf:
			b = append(binary.AppendUvarint([]byte{0x0a, 1, 'x', 0x12}, uint64(len(b))), b...)
		}
		checkSentence(t, Unmarshal(e, b, new(sdk.ContainerID)), "deeper than 64")
	}
}

// TestCut: no beginning of a good message crashes a reader, and in msgpack and
// JSON none is taken for the whole.
func TestCut(t *testing.T) {
	for _, e := range []Encoding{Msgpack, JSON, Protobuf} {
		b, err := Marshal(e, benchOffer())
		if err != nil {
			t.Fatal(err)
		}
		for n := range b {
			if err := Unmarshal(e, b[:n], new(sdk.Offer)); err == nil && e != Protobuf {
				t.Errorf("%s: %d of %d bytes are read", e, n, len(b))
			}
		}
		if e != Protobuf {
			checkSentence(t, Unmarshal(e, append(b, b[0]), new(sdk.Offer)), "follow")
		}
	}
}

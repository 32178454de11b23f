package wire

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// fuzzMessage reads data as a scheduler's call and as its event. What is read must
// be writable in every encoding, and come back as the same bytes.
func fuzzMessage(f *testing.F, e Encoding) {
	for _, s := range goldenSamples() {
		if b, err := Marshal(e, s.v); err == nil && len(b) < 4096 {
			f.Add(b)
		}
	}
	for _, h := range hostile() {
		if h.e == e && len(h.data) < 4096 {
			f.Add(h.data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, v := range []any{new(sdk.Call), new(sdk.Event), new(sdk.ExecutorEvent)} {
			if Unmarshal(e, data, v) != nil {
				continue
			}
			for _, e := range []Encoding{Msgpack, JSON, Protobuf} {
				b, err := Marshal(e, v)
				if err != nil {
					t.Fatalf("read but not written as %s: %v", e, err)
				}
				if err := Unmarshal(e, b, v); err != nil {
					t.Fatalf("%s does not read what it wrote: %v\n%q", e, err, b)
				}
				again, err := Marshal(e, v)
				if err != nil || !bytes.Equal(b, again) {
					t.Fatalf("%s changes: %v\n%q\n%q", e, err, b, again)
				}
			}
		}
	})
}

func FuzzMsgpack(f *testing.F)  { fuzzMessage(f, Msgpack) }
func FuzzJSON(f *testing.F)     { fuzzMessage(f, JSON) }
func FuzzProtobuf(f *testing.F) { fuzzMessage(f, Protobuf) }

// FuzzRecordIO reads records until an error; what was read, written again, is the
// beginning of the data, apart from zeros before a length.
func FuzzRecordIO(f *testing.F) {
	for _, s := range []string{"", "1\na", "3\nabc5\nhello", "0\n", "-1\na", "99999999999999999999999\n", "5\nab", "\n", "007\nabcdefg"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(bytes.NewReader(data), 1<<16)
		var records [][]byte
		for {
			b, err := r.Next()
			if err != nil {
				if _, again := r.Next(); !errors.Is(again, err) {
					t.Fatalf("the second error differs: %v, %v", err, again)
				}
				if err == io.EOF && !bytes.HasPrefix(data, []byte("0")) && !bytes.Contains(data, []byte("\n0")) {
					var out []byte
					for _, b := range records {
						out = AppendRecord(out, b)
					}
					if len(out) > len(data) {
						t.Fatalf("%q became %q", data, out)
					}
				}
				return
			}
			if len(b) == 0 {
				t.Fatal("an empty record")
			}
			records = append(records, bytes.Clone(b))
		}
	})
}

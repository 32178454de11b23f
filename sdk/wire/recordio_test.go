package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/profferhq/proffer/sdk"
)

func TestReader(t *testing.T) {
	for _, c := range []struct{ name, in, records, err string }{
		{"nothing", "", "", "EOF"},
		{"two", "3\nabc5\nhello", "abc|hello", "EOF"},
		{"line feeds inside", "4\na\nb\n1\nc", "a\nb\n|c", "EOF"},
		{"zeros before the length", "0003\nabc", "abc", "EOF"},
		{"longest", "8\n12345678", "12345678", "EOF"},
		{"too long", "9\n123456789", "", "a record is longer than 8 bytes"},
		{"good, then too long", "1\na100\n", "a", "a record is longer than 8 bytes"},
		{"length zero", "0\n", "", `a record has the length "0"; it must be at least 1`},
		{"no length", "\nabc", "", `a record has the length "0"; it must be at least 1`},
		{"negative", "-1\na", "", "the length of a record has the character '-'; expected are digits and a newline"},
		{"a blank between", "1\na 1\nb", "a", "the length of a record has the character ' '; expected are digits and a newline"},
		{"21 digits", strings.Repeat("0", 21) + "\n", "", "the length of a record has more than 20 digits"},
		{"cut in the length", "1\na12", "a", "a record is longer than 8 bytes"},
		{"cut in a short length", "1\na7", "a", "the stream ends inside a record"},
		{"cut in the record", "1\na5\nbcd", "a", "the stream ends inside a record"},
		{"cut before the record", "5\n", "", "the stream ends inside a record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in))} {
				r := NewReader(in, 8)
				var got []string
				b, err := r.Next()
				for ; err == nil; b, err = r.Next() {
					got = append(got, string(b))
				}
				if s := strings.Join(got, "|"); s != c.records || err.Error() != c.err {
					t.Errorf("got %q, %q; want %q, %q", s, err, c.records, c.err)
				}
				if strings.Contains(c.err, "inside") != errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%v: is it io.ErrUnexpectedEOF?", err)
				}
				if _, again := r.Next(); again != err {
					t.Errorf("the second error is %v", again)
				}
			}
		})
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	broken := errors.New("the connection broke")
	r := NewReader(io.MultiReader(strings.NewReader("3\nab"), iotest.ErrReader(broken)), 100)
	if _, err := r.Next(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// TestReaderMemory: a length that is announced costs nothing before the bytes come.
func TestReaderMemory(t *testing.T) {
	r := NewReader(strings.NewReader("1000000000\nx"), 1<<30)
	if _, err := r.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if cap(r.buf) > 1<<20 {
		t.Errorf("%d bytes for a record of one", cap(r.buf))
	}
	big := bytes.Repeat([]byte("abcdefg"), 1<<17)
	r = NewReader(bytes.NewReader(AppendRecord(nil, big)), 1<<20)
	if b, err := r.Next(); err != nil || !bytes.Equal(b, big) {
		t.Errorf("a record of %d bytes: %d, %v", len(big), len(b), err)
	}
}

// TestAppendMessage: a message as a record, whatever the digits of its length.
func TestAppendMessage(t *testing.T) {
	for _, n := range []int{0, 1, 2, 80, 90, 980, 990, 99_990, 1_000_000, 10_000_000} {
		in := &sdk.ErrorEvent{Message: strings.Repeat("m", n)}
		plain, err := Marshal(Protobuf, in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := AppendMessage(Protobuf, []byte("before"), in)
		if want := AppendRecord([]byte("before"), plain); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d: %.40q, %v; want %.40q", n, got, err, want)
		}
	}
	dst := []byte("before")
	got, err := AppendMessage(JSON, dst, &sdk.Update{})
	if err == nil || string(got) != "before" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestUnmarshalBody(t *testing.T) {
	calls := []sdk.Call{{Type: sdk.CallRevive}, {Type: sdk.CallKill, Kill: &sdk.Kill{TaskID: "t"}}, {Type: sdk.CallTeardown}}
	for _, e := range []Encoding{Msgpack, JSON, Protobuf} {
		var data []byte
		for _, c := range calls {
			var err error
			if data, err = AppendMessage(e, data, c); err != nil {
				t.Fatal(err)
			}
		}
		body := Body{Encoding: e, Records: true}
		got, err := UnmarshalBody[sdk.Call](body, data, 3)
		if d := cmp.Diff(calls, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", e, err, d)
		}
		_, err = UnmarshalBody[sdk.Call](body, data, 2)
		if sdk.CodeOf(err) != sdk.CodeTooLarge {
			t.Errorf("three where two are allowed: %v", err)
		}
		single, err := Marshal(e, calls[1])
		if err != nil {
			t.Fatal(err)
		}
		got, err = UnmarshalBody[sdk.Call](Body{Encoding: e}, single, 1)
		if d := cmp.Diff(calls[1:2], got); err != nil || d != "" {
			t.Errorf("%s: %v %s", e, err, d)
		}
		contentType, inner := body.Headers()
		if parsed, err := ParseBody(contentType, inner); err != nil || parsed != body {
			t.Errorf("%v, %v", parsed, err)
		}
	}
	body := Body{Encoding: JSON, Records: true}
	for in, want := range map[string]string{
		"":                       "the body holds no Call",
		"2\n{}9\n{\"kill\":1}":   "[1].kill: expects an object",
		"2\n{}12\n{\"kill\":{}}": "inside a record",
		"2\n{}11\n{\"kill\":{]}": "[1].kill: is not JSON at byte 9",
		"2\n{}11\n{\"kill\":{}}": "[1].kill.task_id: is required",
		"2\n{}x":                 "character 'x'",
		"2\n{}9999\n{}":          "longer than",
	} {
		_, err := UnmarshalBody[sdk.Call](body, []byte(in), 10)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

func TestContentTypes(t *testing.T) {
	for in, want := range map[string]string{
		"application/json":                "JSON",
		"Application/JSON; charset=utf-8": "JSON",
		" application/x-protobuf ":        "protobuf",
		"application/x-msgpack":           "msgpack",
		"":                                "invalid",
		"text/plain":                      "unsupported",
		"application/recordio":            "unsupported",
	} {
		e, err := ParseContentType(in)
		got := e.String()
		if err != nil {
			got = string(sdk.CodeOf(err))
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	for _, c := range []struct{ contentType, inner, want string }{
		{"application/recordio", "application/x-msgpack", "msgpack true"},
		{"application/recordio", "", "invalid"},
		{"application/recordio", "application/recordio", "unsupported"},
		{"application/json", "", "JSON false"},
		{"application/json", "application/json", "unsupported"},
	} {
		b, err := ParseBody(c.contentType, c.inner)
		got := b.Encoding.String() + map[bool]string{true: " true", false: " false"}[b.Records]
		if err != nil {
			got = string(sdk.CodeOf(err))
		}
		if got != c.want {
			t.Errorf("%v: %s", c, got)
		}
	}
	for _, c := range []struct{ accept, want string }{
		{"", "JSON"},
		{"*/*", "JSON"},
		{"application/*", "JSON"},
		{"application/x-protobuf", "protobuf"},
		{"application/x-msgpack", "msgpack"},
		{"application/x-msgpack, application/x-protobuf", "protobuf"},
		{"application/x-protobuf|application/x-protobuf", "protobuf"},
		{"application/x-protobuf|application/json", "JSON"},
		{"application/json;q=0, */*", "protobuf"},
		{"application/json; q=0.1", "JSON"},
		{"text/html", "none"},
		{"application/recordio", "none"},
	} {
		var lines []string
		if c.accept != "" {
			lines = strings.Split(c.accept, "|")
		}
		e, ok := ParseAccept(lines)
		if got := map[bool]string{true: e.String(), false: "none"}[ok]; got != c.want {
			t.Errorf("%q: %s, want %s", c.accept, got, c.want)
		}
	}
}

package wire

import (
	"encoding/base64"
	"math"
	"strconv"
)

// jsonReader is the JSON source. The whole text is known to be valid UTF-8.
type jsonReader struct {
	data []byte
	pos  int
}

// What a frame's more says in JSON.
const (
	jsonFirst = 0 // no member was read yet
	jsonLater = 1
	jsonBare  = 2 // a value that stands for a list of one
)

func (r *jsonReader) finish() error {
	if c := r.token(); c != 0 || r.pos < len(r.data) {
		return r.broken("text follows the message")
	}
	return nil
}

func (r *jsonReader) expected(what string, c byte) error {
	return invalid("expects %s, got %s", what, describeJSON(c))
}

func (r *jsonReader) begin() (frame, error) {
	if c := r.token(); c != '{' {
		if c == 0 {
			return frame{}, r.broken("the text ends early")
		}
		return frame{}, r.expected("an object", c)
	}
	r.pos++
	return frame{}, nil
}

func (r *jsonReader) next(fr frame, p *plan, depth int) (*field, frame, error) {
	for {
		key, ok, err := r.member(fr)
		if err != nil || !ok {
			return nil, fr, err
		}
		fr.more = jsonLater
		if f := p.names[string(key)]; f != nil {
			return f, fr, nil
		}
		if err := r.skip(depth); err != nil {
			return nil, fr, err
		}
	}
}

// member reads the key of the next member of an object, and its colon; or the end.
func (r *jsonReader) member(fr frame) (key []byte, ok bool, err error) {
	c := r.token()
	if c == '}' {
		r.pos++
		return nil, false, nil
	}
	if fr.more == jsonLater {
		if c != ',' {
			return nil, false, r.broken("expects a comma or the end of the object")
		}
		r.pos++
		c = r.token()
	}
	if c != '"' {
		return nil, false, r.broken("expects the name of a member")
	}
	if key, err = r.text(); err != nil {
		return nil, false, err
	}
	if r.token() != ':' {
		return nil, false, r.broken("expects a colon")
	}
	r.pos++
	return key, true, nil
}

func (r *jsonReader) null() (bool, error) {
	if r.token() != 'n' {
		return false, nil
	}
	return true, r.word("null")
}

func (r *jsonReader) beginList(_ *field) (frame, int, error) {
	if r.token() != '[' {
		return frame{left: 1, more: jsonBare}, 0, nil
	}
	r.pos++
	return frame{}, 0, nil
}

func (r *jsonReader) element(fr frame) (bool, frame, error) {
	if fr.more == jsonBare {
		fr.left--
		return fr.left == 0, fr, nil
	}
	c := r.token()
	if c == ']' {
		r.pos++
		return false, fr, nil
	}
	if fr.more == jsonLater {
		if c != ',' {
			return false, fr, r.broken("expects a comma or the end of the array")
		}
		r.pos++
		if r.token() == ']' {
			return false, fr, r.broken("expects a value")
		}
	}
	fr.more = jsonLater
	return true, fr, nil
}

func (r *jsonReader) gathers() bool { return false }

func (r *jsonReader) beginTable() (frame, error) { return r.begin() }

func (r *jsonReader) key(fr frame, _ *field) (string, bool, bool, frame, error) {
	key, ok, err := r.member(fr)
	fr.more = jsonLater
	return string(key), ok, ok, fr, err
}

func (r *jsonReader) endEntry(fr frame, _ int) (frame, error) { return fr, nil }

func (r *jsonReader) readBool() (bool, error) {
	c := r.token()
	word := "true"
	switch c {
	case 'f':
		word = "false"
	case 't':
	case '"':
		s, err := r.text()
		if err != nil {
			return false, err
		}
		if string(s) != "true" && string(s) != "false" {
			return false, invalid("expects true or false, got the string %q", clip(s))
		}
		return string(s) == "true", nil
	default:
		return false, r.expected("true or false", c)
	}
	return c == 't', r.word(word)
}

// number gives the text of a number, which may stand in a string.
func (r *jsonReader) number() ([]byte, error) {
	c := r.token()
	if c != '"' {
		if c != '-' && (c < '0' || c > '9') {
			return nil, r.expected("a number", c)
		}
		n := numberLength(r.data[r.pos:])
		if n == 0 {
			return nil, r.broken("is not a number")
		}
		r.pos += n
		return r.data[r.pos-n : r.pos], nil
	}
	return r.text()
}

func (r *jsonReader) readInteger(_ *field) (uint64, bool, error) {
	s, err := r.number()
	if err != nil {
		return 0, false, err
	}
	if numberLength(s) != len(s) || len(s) == 0 {
		return 0, false, invalid("expects a number, got the string %q", clip(s))
	}
	if s[0] == '-' {
		if v, err := strconv.ParseInt(string(s), 10, 64); err == nil {
			return uint64(v), v < 0, nil
		}
	} else if v, err := strconv.ParseUint(string(s), 10, 64); err == nil {
		return v, false, nil
	}
	x, err := strconv.ParseFloat(string(s), 64)
	if n, ok := integral(x); err == nil && ok {
		return uint64(n), n < 0, nil
	}
	return 0, false, invalid("%s is not an integer of 64 bits", clip(s))
}

func (r *jsonReader) readFloat() (float64, error) {
	s, err := r.number()
	if err != nil {
		return 0, err
	}
	switch string(s) {
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	}
	if numberLength(s) != len(s) || len(s) == 0 {
		return 0, invalid("expects a number, got the string %q", clip(s))
	}
	x, err := strconv.ParseFloat(string(s), 64)
	if err != nil {
		return 0, invalid("%s is too large for a double", clip(s))
	}
	return x, nil
}

func (r *jsonReader) readString(wrapped bool, depth int) ([]byte, error) {
	if wrapped {
		return readWrapped(r, depth)
	}
	if c := r.token(); c != '"' {
		return nil, r.expected("a string", c)
	}
	return r.text()
}

func (r *jsonReader) readBytes() ([]byte, error) {
	if c := r.token(); c != '"' {
		return nil, r.expected("a string of base64", c)
	}
	s, err := r.text()
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.AppendDecode(nil, s)
	if err != nil {
		return nil, invalid("is not base64 with padding")
	}
	return b, nil
}

func (r *jsonReader) readEnum(t *enumTable) (string, error) {
	if c := r.token(); c != '"' {
		return "", r.expected("the name of a "+t.name+" in a string", c)
	}
	s, err := r.text()
	if err != nil {
		return "", err
	}
	n, ok := t.numbers[string(s)]
	if !ok {
		return "", nil
	}
	return t.names[n], nil
}

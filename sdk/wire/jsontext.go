package wire

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// token skips blanks and gives the first byte of the next token, 0 at the end.
func (r *jsonReader) token() byte {
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

// broken is the error about text that is not JSON.
func (r *jsonReader) broken(why string) error {
	return invalid("is not JSON at byte %d: %s", r.pos, why)
}

// word consumes a literal.
func (r *jsonReader) word(w string) error {
	if !bytes.HasPrefix(r.data[r.pos:], []byte(w)) {
		return r.broken("expects " + w)
	}
	r.pos += len(w)
	return nil
}

// describeJSON names the kind of the value that begins with c.
func describeJSON(c byte) string {
	switch {
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '"':
		return "a string"
	case c == 't', c == 'f':
		return "a bool"
	case c == '-', c >= '0' && c <= '9':
		return "a number"
	case c == 0:
		return "the end of the text"
	}
	return strconv.QuoteRune(rune(c))
}

// clip bounds what an error repeats of its input.
func clip(s []byte) []byte {
	if len(s) <= 64 {
		return s
	}
	return append(bytes.Clone(s[:64]), "…"...)
}

// text reads a string, whose quote is next. The bytes are those of the data
// unless something is escaped.
func (r *jsonReader) text() ([]byte, error) {
	start := r.pos + 1
	for i := start; i < len(r.data); i++ {
		switch c := r.data[i]; {
		case c == '"':
			r.pos = i + 1
			return r.data[start:i], nil
		case c == '\\':
			return r.escaped(start, i)
		case c < ' ':
			r.pos = i
			return nil, r.broken("a control character in a string must be escaped")
		}
	}
	r.pos = len(r.data)
	return nil, r.broken("a string does not end")
}

// escaped reads the rest of a string from its first backslash on.
func (r *jsonReader) escaped(start, i int) ([]byte, error) {
	out := bytes.Clone(r.data[start:i])
	r.pos = i
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		switch {
		case c == '"':
			r.pos++
			return out, nil
		case c < ' ':
			return nil, r.broken("a control character in a string must be escaped")
		case c != '\\':
			out = append(out, c)
			r.pos++
			continue
		}
		if r.pos+1 >= len(r.data) {
			break
		}
		e := r.data[r.pos+1]
		if e == 'u' {
			c, err := r.unicode()
			if err != nil {
				return nil, err
			}
			out = utf8.AppendRune(out, c)
			continue
		}
		j := bytes.IndexByte([]byte(`"\/bfnrt`), e)
		if j < 0 {
			return nil, r.broken("a backslash escapes nothing known")
		}
		out = append(out, "\"\\/\b\f\n\r\t"[j])
		r.pos += 2
	}
	return nil, r.broken("a string does not end")
}

// unicode reads \uXXXX, or a surrogate pair of them. Half a pair has no UTF-8.
func (r *jsonReader) unicode() (rune, error) {
	c, err := r.hex4()
	if err != nil || !utf16.IsSurrogate(c) {
		return c, err
	}
	if !bytes.HasPrefix(r.data[r.pos:], []byte(`\u`)) {
		return 0, r.broken("half of a surrogate pair")
	}
	low, err := r.hex4()
	if err != nil {
		return 0, err
	}
	if c = utf16.DecodeRune(c, low); c == utf8.RuneError {
		return 0, r.broken("half of a surrogate pair")
	}
	return c, nil
}

func (r *jsonReader) hex4() (rune, error) {
	if r.pos+6 > len(r.data) {
		return 0, r.broken("a string does not end")
	}
	c, err := strconv.ParseUint(string(r.data[r.pos+2:r.pos+6]), 16, 16)
	if err != nil {
		return 0, r.broken(`\u needs four hexadecimal digits`)
	}
	r.pos += 6
	return rune(c), nil
}

// numberLength is how many bytes at the start of s are a JSON number.
func numberLength(s []byte) int {
	digits := func(i int) int {
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i
	}
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	end := digits(i)
	if end == i || (s[i] == '0' && end > i+1) {
		return 0
	}
	if i = end; i < len(s) && s[i] == '.' {
		if end = digits(i + 1); end == i+1 {
			return 0
		}
	}
	if i = end; i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if end = digits(i); end == i {
			return 0
		}
	}
	return end
}

// skip passes over one value of any kind.
func (r *jsonReader) skip(depth int) error {
	switch c := r.token(); c {
	case '{', '[':
		if depth >= MaxDepth {
			return invalid("messages nest deeper than %d", MaxDepth)
		}
		return r.skipMembers(c == '{', depth+1)
	case '"':
		_, err := r.text()
		return err
	case 't':
		return r.word("true")
	case 'f':
		return r.word("false")
	case 'n':
		return r.word("null")
	}
	n := numberLength(r.data[r.pos:])
	if n == 0 {
		return r.broken("expects a value")
	}
	r.pos += n
	return nil
}

func (r *jsonReader) skipMembers(object bool, depth int) error {
	r.pos++
	for fr := (frame{}); ; fr.more = jsonLater {
		var ok bool
		var err error
		if object {
			_, ok, err = r.member(fr)
		} else {
			ok, _, err = r.element(fr)
		}
		if err != nil || !ok {
			return err
		}
		if err := r.skip(depth); err != nil {
			return err
		}
	}
}

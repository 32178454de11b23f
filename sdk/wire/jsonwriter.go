package wire

import (
	"encoding/base64"
	"math"
	"strconv"
)

// jsonWriter is the JSON sink. Commas are put before a member when the byte
// before it is not an opening one.
type jsonWriter struct {
	buf []byte
}

func (w *jsonWriter) comma() {
	if w.buf[len(w.buf)-1] != '{' {
		w.buf = append(w.buf, ',')
	}
}

func (w *jsonWriter) declared() bool { return true }
func (w *jsonWriter) begin(_ int)    { w.buf = append(w.buf, '{') }
func (w *jsonWriter) end()           { w.buf = append(w.buf, '}') }

func (w *jsonWriter) name(f *field) {
	w.comma()
	w.buf = append(w.buf, f.jsonKey...)
}

func (w *jsonWriter) defaulted(f *field) {
	w.name(f)
	w.buf = append(w.buf, f.jsonDef...)
}

func (w *jsonWriter) beginList(f *field, _ int) {
	w.name(f)
	w.buf = append(w.buf, '[')
}

func (w *jsonWriter) element(_ *field, i int) {
	if i > 0 {
		w.buf = append(w.buf, ',')
	}
}

func (w *jsonWriter) endList() { w.buf = append(w.buf, ']') }

func (w *jsonWriter) beginTable(f *field, _ int) {
	w.name(f)
	w.buf = append(w.buf, '{')
}

func (w *jsonWriter) entry(_ *field, _ int, key string) {
	w.comma()
	w.quote(key)
	w.buf = append(w.buf, ':')
}

func (w *jsonWriter) endEntry() {}
func (w *jsonWriter) endTable() { w.buf = append(w.buf, '}') }

func (w *jsonWriter) writeBool(v bool)   { w.buf = strconv.AppendBool(w.buf, v) }
func (w *jsonWriter) writeInt(v int64)   { w.buf = strconv.AppendInt(w.buf, v, 10) }
func (w *jsonWriter) writeUint(v uint64) { w.buf = strconv.AppendUint(w.buf, v, 10) }

// writeFloat writes doubles as Mesos does, a whole one as 15.0; the infinities,
// which JSON does not have, as strings.
func (w *jsonWriter) writeFloat(v float64) {
	if n, ok := integral(v); ok {
		w.buf = strconv.AppendInt(w.buf, n, 10)
		w.buf = append(w.buf, ".0"...)
		return
	}
	switch {
	case math.IsInf(v, 1):
		w.buf = append(w.buf, `"Infinity"`...)
	case math.IsInf(v, -1):
		w.buf = append(w.buf, `"-Infinity"`...)
	default:
		format := byte('f')
		if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
			format = 'e'
		}
		w.buf = strconv.AppendFloat(w.buf, v, format, -1, 64)
	}
}

func (w *jsonWriter) writeString(v string, wrapped bool) {
	if !wrapped {
		w.quote(v)
		return
	}
	w.buf = append(w.buf, `{"value":`...)
	w.quote(v)
	w.buf = append(w.buf, '}')
}

func (w *jsonWriter) writeBytes(v []byte) {
	w.buf = append(w.buf, '"')
	w.buf = base64.StdEncoding.AppendEncode(w.buf, v)
	w.buf = append(w.buf, '"')
}

func (w *jsonWriter) writeEnum(name string, _ int32) { w.quote(name) }

// quote writes a string that is known to be valid UTF-8. Only what JSON forbids
// is escaped.
func (w *jsonWriter) quote(s string) {
	const hex = "0123456789abcdef"
	b := append(w.buf, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	b = append(b, s[start:]...)
	w.buf = append(b, '"')
}

package wire

import (
	"bufio"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/profferhq/proffer/sdk"
)

// maxLengthDigits is how long the length of a record may be; Mesos's clients
// agree on it.
const maxLengthDigits = 20

// Reader reads the records of a RecordIO stream, "<length>\n<bytes>" one after
// the other. It belongs to one goroutine.
type Reader struct {
	in  *bufio.Reader
	max int
	buf []byte
	err error
}

// NewReader reads from r, and refuses records longer than maxRecord bytes before
// it allocates for them.
func NewReader(r io.Reader, maxRecord int) *Reader {
	return &Reader{in: bufio.NewReader(r), max: min(maxRecord, math.MaxInt/16)}
}

// Next is the next record, in a buffer that the following call uses again. At the
// end of the stream between two records the error is io.EOF; one inside a record
// wraps io.ErrUnexpectedEOF. What is not RecordIO is an *sdk.Error of CodeInvalid,
// a record that is too long one of CodeTooLarge. After an error every call
// returns it again.
func (r *Reader) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	b, err := r.next()
	r.err = err
	return b, err
}

// Buffered is how many bytes have been received behind the last record: a caller
// that batches knows by it that another record can be had without waiting.
func (r *Reader) Buffered() int { return r.in.Buffered() }

func (r *Reader) next() ([]byte, error) {
	n, err := r.length()
	if err != nil {
		return nil, err
	}
	// Grown as the bytes arrive: a length alone costs the sender nothing.
	const step = 64 << 10
	r.buf = r.buf[:0]
	for len(r.buf) < n {
		have, more := len(r.buf), min(n-len(r.buf), max(step, len(r.buf)))
		if cap(r.buf) < have+more {
			r.buf = append(make([]byte, 0, have+more), r.buf...)
		}
		r.buf = r.buf[:have+more]
		if _, err := io.ReadFull(r.in, r.buf[have:]); err != nil {
			return nil, cut(err)
		}
	}
	return r.buf, nil
}

// length reads "<digits>\n".
func (r *Reader) length() (int, error) {
	n := 0
	for digits := 0; ; digits++ {
		c, err := r.in.ReadByte()
		if err != nil {
			if digits == 0 {
				return 0, err
			}
			return 0, cut(err)
		}
		switch {
		case c == '\n' && n > 0:
			return n, nil
		case c == '\n':
			return 0, sdk.Errorf(sdk.CodeInvalid, "", "a record has the length %q; it must be at least 1", strconv.Itoa(n))
		case c < '0' || c > '9':
			return 0, sdk.Errorf(sdk.CodeInvalid, "", "the length of a record has the character %q; expected are digits and a newline", c)
		case digits == maxLengthDigits:
			return 0, sdk.Errorf(sdk.CodeInvalid, "", "the length of a record has more than %d digits", maxLengthDigits)
		}
		if n = n*10 + int(c-'0'); n > r.max {
			return 0, sdk.Errorf(sdk.CodeTooLarge, "", "a record is longer than %d bytes", r.max)
		}
	}
}

// cut is the error of a stream that ends inside a record.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return recordCut{}
	}
	return err
}

// recordCut wraps io.ErrUnexpectedEOF in a sentence.
type recordCut struct{}

func (recordCut) Error() string { return "the stream ends inside a record" }
func (recordCut) Unwrap() error { return io.ErrUnexpectedEOF }

// AppendRecord adds payload to dst as one record. An empty payload is none.
func AppendRecord(dst, payload []byte) []byte {
	if len(payload) == 0 {
		return dst
	}
	dst = strconv.AppendInt(dst, int64(len(payload)), 10)
	dst = append(dst, '\n')
	return append(dst, payload...)
}

// AppendMessage adds the message v to dst as one record, in the encoding e. On an
// error it returns dst as it was.
func AppendMessage(e Encoding, dst []byte, v any) ([]byte, error) {
	start := len(dst)
	// Most messages are shorter than a megabyte: the room for six digits and a
	// newline is made first, and the message moves down to the real length.
	const room = 7
	out, err := Append(e, append(dst, "       "...), v)
	if err != nil {
		return dst, err
	}
	n := len(out) - start - room
	if n == 0 {
		return dst, nil
	}
	var head [room + maxLengthDigits]byte
	h := append(strconv.AppendInt(head[:0], int64(n), 10), '\n')
	if len(h) > room {
		return AppendRecord(out[:start], append([]byte(nil), out[start+room:]...)), nil
	}
	copy(out[start:], h)
	copy(out[start+len(h):], out[start+room:])
	return out[:start+len(h)+n], nil
}

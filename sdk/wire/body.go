package wire

import (
	"bytes"
	"errors"
	"io"
	"reflect"

	"github.com/profferhq/proffer/sdk"
)

// Body says what the body of a POST holds: one message, or a sequence of them in
// RecordIO.
type Body struct {
	Encoding Encoding
	Records  bool
}

// ParseBody reads it from the headers Content-Type and Message-Content-Type. The
// latter names the encoding of the messages in application/recordio, and must be
// absent otherwise.
func ParseBody(contentType, messageContentType string) (Body, error) {
	if mediaType(contentType) != ContentTypeRecordIO {
		if messageContentType != "" {
			return Body{}, sdk.Errorf(sdk.CodeUnsupported, HeaderMessageContentType,
				"is only for bodies of Content-Type %s", ContentTypeRecordIO)
		}
		e, err := ParseContentType(contentType)
		return Body{Encoding: e}, err
	}
	if messageContentType == "" {
		return Body{}, sdk.Errorf(sdk.CodeInvalid, HeaderMessageContentType,
			"must name the encoding of the messages in %s", ContentTypeRecordIO)
	}
	e, err := ParseContentType(messageContentType)
	return Body{Encoding: e, Records: true}, err
}

// Headers are the values of Content-Type and Message-Content-Type for such a
// body; the second is empty when there is none.
func (b Body) Headers() (contentType, messageContentType string) {
	if b.Records {
		return ContentTypeRecordIO, b.Encoding.ContentType()
	}
	return b.Encoding.ContentType(), ""
}

// UnmarshalBody reads the message or all messages of a body, at most limit. An
// error names the message by its place, and then the field: [2].accept.offer_ids.
// Nothing of a body is returned when anything in it is wrong. In a body of a
// single message the path has no place.
func UnmarshalBody[T any](b Body, data []byte, limit int) ([]T, error) {
	if !b.Records {
		out := make([]T, 1)
		if err := Unmarshal(b.Encoding, data, &out[0]); err != nil {
			return nil, err
		}
		return out, nil
	}
	var out []T
	r := NewReader(bytes.NewReader(data), len(data))
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err == nil && len(out) == limit {
			err = sdk.Errorf(sdk.CodeTooLarge, "", "a body may hold at most %d messages", limit)
		}
		if err != nil {
			return nil, asRefusal(err)
		}
		out = append(out, *new(T))
		if err := Unmarshal(b.Encoding, record, &out[len(out)-1]); err != nil {
			return nil, at(err, len(out)-1)
		}
	}
	if len(out) == 0 {
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "the body holds no %s", reflect.TypeFor[T]().Name())
	}
	return out, nil
}

// asRefusal makes an *sdk.Error of what a Reader says about bytes in memory.
func asRefusal(err error) error {
	var e *sdk.Error
	if errors.As(err, &e) {
		return err
	}
	return sdk.Errorf(sdk.CodeInvalid, "", "%s", err)
}

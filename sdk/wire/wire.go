package wire

import (
	"reflect"

	"github.com/profferhq/proffer/sdk"
)

// Encoding is one of the three forms of a message.
type Encoding uint8

// The encodings. The zero value is msgpack, the one our own parts speak.
const (
	Msgpack Encoding = iota
	JSON
	Protobuf
)

// MaxDepth is how deep messages may nest, the outermost one included. In JSON and
// msgpack the containers of unknown fields count too.
const MaxDepth = 64

// String is the encoding's name for people.
func (e Encoding) String() string {
	switch e {
	case Msgpack:
		return "msgpack"
	case JSON:
		return "JSON"
	case Protobuf:
		return "protobuf"
	}
	return "unknown encoding"
}

// Marshal writes v, a message or a pointer to one, into a slice of its own.
//
// It fails with an *sdk.Error that names the field: a required pointer or
// enumeration is missing, a string is not UTF-8, a number is not a number, an
// enumeration has no such name, or messages nest deeper than MaxDepth.
func Marshal(e Encoding, v any) ([]byte, error) {
	return Append(e, nil, v)
}

// Append is Marshal to the end of dst. On an error it returns dst as it was.
func Append(e Encoding, dst []byte, v any) ([]byte, error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Struct { // the walk needs an address
		ptr := reflect.New(rv.Type())
		ptr.Elem().Set(rv)
		rv = ptr
	}
	if rv.Kind() != reflect.Pointer || rv.IsNil() || rv.Elem().Kind() != reflect.Struct {
		return dst, sdk.Errorf(sdk.CodeInternal, "", "a %T is not a message: %s writes structs and pointers to them", v, e)
	}
	p, err := planOf(rv.Type().Elem())
	if err != nil {
		return dst, err
	}
	out, err := encodeMessage(e, dst, p, rv.UnsafePointer())
	if err != nil {
		return dst, failed(err, "write "+e.String())
	}
	return out, nil
}

// Unmarshal reads the one message that data holds into v, a pointer to a struct,
// which it sets to zero first. Nothing in v refers to data afterwards.
//
// It fails with an *sdk.Error (CodeInvalid, and the path of the field); v is zero
// then.
func Unmarshal(e Encoding, data []byte, v any) error {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() || rv.Elem().Kind() != reflect.Struct {
		return sdk.Errorf(sdk.CodeInternal, "", "%s can not be read into a %T, only into a pointer to a message", e, v)
	}
	rv = rv.Elem()
	p, err := planOf(rv.Type())
	if err != nil {
		return err
	}
	rv.SetZero()
	if err := decodeMessage(e, data, p, rv); err != nil {
		rv.SetZero()
		return failed(err, "read "+e.String())
	}
	return nil
}

package master

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// readCalls reads and decodes the body of a POST: one call, or a sequence.
// Nothing of it is used when anything in it is wrong.
func readCalls[T any](m *Master, w http.ResponseWriter, req *http.Request) ([]T, error) {
	return readCallsIn[T](m, w, req, noTurn)
}

// noTurn is for bodies that are decoded at once.
func noTurn(context.Context) (over func(), err error) { return func() {}, nil }

// readCallsIn is readCalls for bodies of which not too many are to be decoded at a time:
// turn waits for that, when the body has come.
func readCallsIn[T any](m *Master, w http.ResponseWriter, req *http.Request, turn func(context.Context) (over func(), err error)) ([]T, error) {
	// A duplicate of one of these would let two readers see two things.
	for _, name := range []string{"Content-Type", wire.HeaderMessageContentType} {
		if len(req.Header.Values(name)) > 1 {
			return nil, sdk.Errorf(sdk.CodeInvalid, name, "is there more than once")
		}
	}
	if req.Header.Get("Content-Type") == "" {
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "Expecting 'Content-Type' to be present")
	}
	body, err := wire.ParseBody(req.Header.Get("Content-Type"), req.Header.Get(wire.HeaderMessageContentType))
	if err != nil {
		return nil, err
	}
	data, err := m.readBody(w, req)
	if err != nil {
		return nil, err
	}
	over, err := turn(req.Context())
	if err != nil {
		return nil, err
	}
	defer over()
	return wire.UnmarshalBody[T](body, data, m.opts.MaxBatch)
}

// readCall is readCalls for an endpoint that takes one call in a body.
func readCall[T any](m *Master, w http.ResponseWriter, req *http.Request) (*T, error) {
	calls, err := readCalls[T](m, w, req)
	if err != nil {
		return nil, err
	}
	if len(calls) > 1 {
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "a body of this endpoint holds one call, this one has %d", len(calls))
	}
	return &calls[0], nil
}

// readBody reads the whole body within its time and size.
func (m *Master) readBody(w http.ResponseWriter, req *http.Request) ([]byte, error) {
	rc := http.NewResponseController(w)
	if err := rc.SetReadDeadline(time.Now().Add(m.opts.ReadTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, err
	}
	// A deadline that stayed would end the stream that follows.
	defer func() { _ = rc.SetReadDeadline(time.Time{}) }()
	if req.ContentLength > m.opts.MaxBody {
		return nil, tooLarge(m.opts.MaxBody)
	}
	var data []byte
	var err error
	in := http.MaxBytesReader(w, req.Body, m.opts.MaxBody)
	if n := req.ContentLength; n > 0 && n <= 1<<20 {
		data = make([]byte, n)
		_, err = io.ReadFull(in, data)
	} else {
		data, err = io.ReadAll(in)
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, tooLarge(m.opts.MaxBody)
	case err != nil:
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "the body could not be read: %v", err)
	}
	return data, nil
}

func tooLarge(most int64) error {
	return sdk.Errorf(sdk.CodeTooLarge, "", "the body is larger than %d bytes; send less at once, or start the master with a larger --max-body", most)
}

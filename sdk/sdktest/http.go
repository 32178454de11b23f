package sdktest

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

const maxBody = 16 << 20

// handler serves the endpoints of a master.
func (k *Kernel) handler() http.Handler {
	mux := http.NewServeMux()
	for _, prefix := range []string{"", "/master"} {
		mux.HandleFunc(prefix+"/api/v1/scheduler", k.guarded(k.serveScheduler))
		mux.HandleFunc(prefix+"/api/v1", k.guarded(k.serveOperator))
		mux.HandleFunc(prefix+"/api/v1/store", k.guarded(k.serveStore))
		mux.HandleFunc(prefix+"/health", func(http.ResponseWriter, *http.Request) {})
		mux.HandleFunc(prefix+"/redirect", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "//"+r.Host)
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
	}
	return mux
}

// guarded lets in who has a token, and tells who that is.
func (k *Kernel) guarded(next func(http.ResponseWriter, *http.Request, caller)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := k.callerOf(r)
		switch {
		case err != nil:
			if sdk.CodeOf(err) == sdk.CodeUnauthenticated {
				w.Header().Set("WWW-Authenticate", `Basic realm="proffer"`)
			}
			refuse(w, r, err)
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "405 Method Not Allowed. Expecting one of { 'POST' }, but received '"+r.Method+"'.", http.StatusMethodNotAllowed)
		default:
			next(w, r, who)
		}
	}
}

// body reads one message, or a sequence of them, each into what next gives.
func body(r *http.Request, next func() any) (accept wire.Encoding, err error) {
	contentType := r.Header.Get("Content-Type")
	sequence := contentType == "application/recordio"
	if sequence {
		contentType = r.Header.Get("Message-Content-Type")
	}
	if contentType == "" {
		return wire.JSON, sdk.Errorf(sdk.CodeInvalid, "Content-Type", "Expecting 'Content-Type' to be present")
	}
	enc, err := wire.ParseContentType(contentType)
	if err != nil {
		return wire.JSON, sdk.Errorf(sdk.CodeUnsupported, "Content-Type", "%v", err)
	}
	if accept, err = accepted(r, enc); err != nil {
		return accept, err
	}
	if !sequence {
		data, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err != nil {
			return accept, err
		}
		return accept, wire.Unmarshal(enc, data, next())
	}
	for records := wire.NewReader(r.Body, maxBody); ; {
		record, err := records.Next()
		if errors.Is(err, io.EOF) {
			return accept, nil
		}
		if err == nil {
			err = wire.Unmarshal(enc, record, next())
		}
		if err != nil {
			return accept, err
		}
	}
}

// oneCall is body for an endpoint that takes one call in a body.
func oneCall[T any](r *http.Request) (*T, wire.Encoding, error) {
	var calls []*T
	enc, err := body(r, func() any {
		calls = append(calls, new(T))
		return calls[len(calls)-1]
	})
	if err == nil && len(calls) != 1 {
		err = sdk.Errorf(sdk.CodeInvalid, "", "a body of this endpoint holds one call, this one has %d", len(calls))
	}
	if err != nil {
		return nil, enc, err
	}
	return calls[0], enc, nil
}

// accepted is the encoding of the answer: JSON first, as Mesos.
func accepted(r *http.Request, request wire.Encoding) (wire.Encoding, error) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if accept == "" || strings.Contains(accept, "*/*") {
		return wire.JSON, nil
	}
	for _, enc := range []wire.Encoding{wire.JSON, wire.Protobuf, wire.Msgpack} {
		if strings.Contains(accept, enc.ContentType()) {
			return enc, nil
		}
	}
	return request, sdk.Errorf(sdk.CodeInvalid, "Accept", "%s is not written here", accept)
}

// refuse answers with an error: a message for our own clients, which speak
// msgpack, and a text for all others, as Mesos.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	var e *sdk.Error
	if !errors.As(err, &e) {
		e = sdk.Errorf(sdk.CodeInvalid, "", "%v", err)
	}
	if strings.Contains(strings.Join(r.Header.Values("Accept"), ","), wire.Msgpack.ContentType()) {
		write(w, wire.Msgpack, e.Code.HTTPStatus(), e)
		return
	}
	http.Error(w, e.Error(), e.Code.HTTPStatus())
}

func write(w http.ResponseWriter, enc wire.Encoding, status int, message any) {
	data, err := wire.Marshal(enc, message)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", enc.ContentType())
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

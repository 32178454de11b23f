package resttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk/gateway"
)

// As is the handler with a gateway before it that takes everybody for that caller.
func As(who gateway.Caller, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(gateway.WithCaller(r.Context(), who)))
	})
}

// Show writes an answer down: its status, those of the headers that it has, and below them
// its body; JSON over many lines with indent. A wrong length, and what is no JSON on one
// line although it is called so, are errors of the test.
func Show(t testing.TB, w *httptest.ResponseRecorder, indent bool, headers ...string) string {
	t.Helper()
	h, body := w.Header(), w.Body.Bytes()
	if n := h.Get("Content-Length"); len(body) > 0 && n != fmt.Sprint(len(body)) || w.Code == http.StatusNoContent && n != "" {
		t.Errorf("%d with Content-Length %q of %d bytes", w.Code, n, len(body))
	}
	var b bytes.Buffer
	fmt.Fprint(&b, w.Code)
	for _, name := range headers {
		if v := h.Get(name); v != "" {
			fmt.Fprintf(&b, " %s: %s", name, v)
		}
	}
	switch ct := h.Get("Content-Type"); {
	case len(body) == 0:
	case ct != "application/json":
		fmt.Fprintf(&b, " %s\n%s", ct, strings.TrimSuffix(string(body), "\n"))
	case !json.Valid(body) || bytes.ContainsRune(body, '\n'):
		t.Errorf("it is not JSON on one line: %s", body)
	default:
		b.WriteByte('\n')
		if !indent {
			b.Write(body)
		} else if err := json.Indent(&b, body, "", "  "); err != nil {
			t.Error(err)
		}
	}
	return b.String() + "\n"
}

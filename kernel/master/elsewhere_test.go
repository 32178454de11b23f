package master

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// What was carried to a master that leads no more, and says nothing, is answered at once;
// a write then and on a broken connection as one of which nobody knows, so that its caller
// does not take it for undone.
func TestWhatIsCarriedIsAnswered(t *testing.T) {
	r := start(t, false)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		<-req.Context().Done()
	}))
	t.Cleanup(silent.Close)
	breaks := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(breaks.Close)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for name, row := range map[string]struct {
		method, addr string
		watched      bool // whether it is looked at who leads: in truth this master does
		want         sdk.Code
	}{
		"a write to a silent one":       {"POST", silent.Listener.Addr().String(), true, sdk.CodeUnknown},
		"a read of a silent one":        {"GET", silent.Listener.Addr().String(), true, sdk.CodeUnavailable},
		"a write whose connection ends": {"POST", breaks.Listener.Addr().String(), false, sdk.CodeUnknown},
		"a read whose connection ends":  {"GET", breaks.Listener.Addr().String(), false, sdk.CodeUnavailable},
		"a write that never left":       {"POST", gone.Addr().String(), false, sdk.CodeUnavailable},
	} {
		w, req := httptest.NewRecorder(), httptest.NewRequest(row.method, "/api/v1/store", strings.NewReader("{}"))
		if row.watched {
			r.carry(w, req, row.addr, "/api/v1/store", passage{})
		} else {
			r.proxy(w, req, passage{leader: true}, toLeader(row.addr, "/api/v1/store"))
		}
		if w.Code != row.want.HTTPStatus() || !strings.Contains(w.Body.String(), "does not answer") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// TestWhatIsCarriedEndsWithItsLeader: what comes of a leader that leads no more and says
// nothing ends, so that its reader asks again, be it its own stream or a framework's answer.
func TestWhatIsCarriedEndsWithItsLeader(t *testing.T) {
	r := start(t, false)
	for what, p := range map[string]passage{"its own": {}, "a framework's": {name: "web", rest: "/x"}} {
		t.Run(what, func(t *testing.T) {
			leader := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				_, _ = io.WriteString(w, "first")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(lastWord + time.Second):
					_, _ = io.WriteString(w, " and last")
				case <-req.Context().Done():
				}
			}))
			defer leader.Close()
			w := httptest.NewRecorder()
			func() {
				defer func() { _ = recover() }() // a proxy whose stream breaks aborts its own
				r.carry(w, httptest.NewRequest("POST", "/api/v1/store", strings.NewReader("{}")), leader.Listener.Addr().String(), "/api/v1/store", p)
			}()
			if w.Body.String() != "first" {
				t.Errorf("it gave %q", w.Body)
			}
		})
	}
}

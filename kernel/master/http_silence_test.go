package master

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestTheGatewayWaitsForNobodyForEver: a framework that stands still before its answer or
// inside it is waited for as long as the option says, at either door; a stream of events may
// be silent for longer.
func TestTheGatewayWaitsForNobodyForEver(t *testing.T) {
	const bound = 300 * time.Millisecond
	r := start(t, true, func(o *Options) { o.GatewayTimeout, o.Publish = bound, []string{"0=still"} })
	f := &web{Server: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		still := req.Context().Done()
		if req.URL.Path == "/mute" {
			<-still
			return
		}
		if req.URL.Path == "/events" {
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		}
		for _, part := range []string{"first", " and last"} {
			_, _ = io.WriteString(w, part)
			_ = http.NewResponseController(w).Flush()
			if part == "first" && req.URL.Path != "/half" {
				select {
				case <-time.After(3 * bound):
				case <-still:
				}
			} else if part == "first" {
				<-still
			}
		}
	}))}
	t.Cleanup(f.Close)
	f.subscribe(r, "still", "")
	for _, door := range []string{r.Addr() + "/service/still", r.reached(r.published[0].listener)} {
		for path, want := range map[string]struct {
			status int
			text   string
			whole  bool
		}{
			"/mute":   {504, "said nothing for 300ms", true},
			"/half":   {200, "first", false},
			"/events": {200, "first and last", true},
		} {
			req, err := http.NewRequest(http.MethodGet, "http://"+door+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header = r.auth()
			resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			began := time.Now()
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != want.status || (err == nil) != want.whole || !strings.Contains(string(body), want.text) || time.Since(began) > 9*time.Second {
				t.Errorf("%s%s: %d %q, %v after %v", door, path, resp.StatusCode, body, err, time.Since(began))
			}
		}
	}
}

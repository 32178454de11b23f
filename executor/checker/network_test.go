package checker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// within makes a check with a time-out.
func within(t *testing.T, c *Checker, h sdk.HealthCheck, timeout time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return c.Check(ctx, &h, Task{})
}

func portOf(t *testing.T, a net.Addr) uint32 {
	t.Helper()
	return uint32(a.(*net.TCPAddr).Port)
}

func httpCheck(port uint32, path string, statuses ...uint32) sdk.HealthCheck {
	return sdk.HealthCheck{Type: sdk.HealthCheckHTTP, HTTP: &sdk.HTTPCheckInfo{Port: port, Path: path, Statuses: statuses}}
}

// wants compares an error with a text that it must contain; empty for no error.
func wants(t *testing.T, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func handler(w http.ResponseWriter, r *http.Request) {
	var status int
	if _, err := fmt.Sscanf(r.URL.Path, "/status/%d", &status); err == nil {
		w.Header().Set("Location", "/status/500") // a redirect is not followed
		w.WriteHeader(status)
		return
	}
	switch r.URL.Path {
	case "/":
		if !r.Close || r.Header.Get("User-Agent") == "" || r.Host == "" {
			http.Error(w, "not the request that is promised", http.StatusTeapot)
		}
	case "/hints":
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusNotFound)
	case "/endless":
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	case "/slow":
		<-r.Context().Done()
	}
}

func TestHTTP(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(handler))
	defer s.Close()
	port, c := portOf(t, s.Listener.Addr()), New("")
	for path, want := range map[string]string{
		"": "", "/": "", "/status/204": "", "/status/302": "", "/status/399": "", "/endless": "",
		"/status/400": "answers with status 400", "/status/503": "answers with status 503", "/hints": "answers with status 404",
	} {
		wants(t, within(t, c, httpCheck(port, path), 10*time.Second), want)
	}
	wants(t, within(t, c, httpCheck(port, "/slow"), 50*time.Millisecond), "no result within")
	wants(t, within(t, c, httpCheck(port, "/status/404", 200, 404), 10*time.Second), "")
	wants(t, within(t, c, httpCheck(port, "/status/204", 200, 404), 10*time.Second), "answers with status 204")
}

func TestHTTPS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(handler))
	s.Config.ErrorLog = nil
	s.StartTLS()
	defer s.Close()
	h := httpCheck(portOf(t, s.Listener.Addr()), "/status/200")
	h.HTTP.Scheme = "https"
	wants(t, within(t, New(""), h, 10*time.Second), "") // its certificate is nobody's
	h.HTTP.Path = "/status/500"
	wants(t, within(t, New(""), h, 10*time.Second), "answers with status 500")
}

// raw serves one answer to everybody.
func raw(t *testing.T, address, answer string) uint32 {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("SKIP: cannot listen on %s: %v", address, err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 1024))
				_, _ = io.WriteString(conn, answer)
			}()
		}
	}()
	return portOf(t, l.Addr())
}

func TestAnswersThatAreNone(t *testing.T) {
	c := New("")
	wants(t, within(t, c, httpCheck(raw(t, "127.0.0.1:0", "SSH-2.0-x\r\n"), "/"), 5*time.Second), "malformed HTTP")
	wants(t, within(t, c, httpCheck(raw(t, "127.0.0.1:0", ""), "/"), 5*time.Second), "EOF")
	long := "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20)
	wants(t, within(t, c, httpCheck(raw(t, "127.0.0.1:0", long), "/"), 5*time.Second), "too long")
}

// TestWhere: the agent's address first, then loopback, and nowhere else.
func TestWhere(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	c := New("127.0.0.2:5051")
	wants(t, within(t, c, httpCheck(raw(t, "127.0.0.2:0", ok), "/"), 5*time.Second), "")
	wants(t, within(t, c, httpCheck(raw(t, "127.0.0.1:0", ok), "/"), 5*time.Second), "")
	wants(t, within(t, c, httpCheck(raw(t, "127.0.0.3:0", ok), "/"), 5*time.Second), "nothing listens on port")
	tcp := sdk.HealthCheck{Type: sdk.HealthCheckTCP, TCP: &sdk.TCPCheckInfo{Port: raw(t, "127.0.0.2:0", ok)}}
	wants(t, within(t, c, tcp, 5*time.Second), "")
	tcp.TCP.Port = raw(t, "127.0.0.3:0", ok)
	wants(t, within(t, c, tcp, 5*time.Second), "of 127.0.0.2")
}

func TestIPv6(t *testing.T) {
	h := httpCheck(raw(t, "[::1]:0", "HTTP/1.1 200 OK\r\n\r\n"), "/")
	wants(t, within(t, New("127.0.0.2:5051"), h, 5*time.Second), "nothing listens")
	h.HTTP.Protocol = sdk.ProtocolIPv6
	wants(t, within(t, New("127.0.0.2:5051"), h, 5*time.Second), "")
}

func TestUnknownType(t *testing.T) {
	wants(t, within(t, New(""), sdk.HealthCheck{Type: "GRPC"}, time.Second), `type "GRPC"`)
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		hurried := false
		status, err := answer(bytes.NewReader(data), func() { hurried = true })
		if (err == nil) != hurried || err == nil && status < 101 {
			t.Fatalf("status %d, %v, body read: %v", status, err, hurried)
		}
	})
}

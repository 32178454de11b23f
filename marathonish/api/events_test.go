package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/sdk/gateway"
)

// page is what a reader has received so far.
type page struct {
	mu     sync.Mutex
	header http.Header
	status int
	text   strings.Builder
	broken bool
}

func (p *page) Header() http.Header { return p.header }

func (p *page) WriteHeader(status int) { p.status = status }

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken {
		return 0, http.ErrHandlerTimeout
	}
	return p.text.Write(b)
}

func (p *page) Flush() {}

// take gives what came since the last take.
func (p *page) take() string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.text.String()
	p.text.Reset()
	return s
}

// follow opens a stream in the bubble, and gives what ends it.
func follow(f *fake, target string, headers ...string) (p *page, end func(), ended <-chan struct{}) {
	ctx, cancel := context.WithCancel(gateway.WithCaller(context.Background(), gateway.Caller{Operator: true}))
	r := httptest.NewRequest("GET", target, nil).WithContext(ctx)
	r.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	p = &page{header: http.Header{}}
	done := make(chan struct{})
	h := New(f, DefaultOptions(), func(next http.Handler) http.Handler { return next })
	go func() {
		defer close(done)
		h.ServeHTTP(p, r)
	}()
	return p, cancel, done
}

func ev(id uint64, kind, data string) event.Event {
	return event.Event{ID: id, Type: kind, Data: []byte(data)}
}

const attachedFrame = "event: event_stream_attached\r\ndata: {\"eventType\":\"event_stream_attached\",\"timestamp\":\"2000-01-01T00:00:00.000Z\",\"remoteAddress\":\"192.0.2.1\"}\r\n\r\n"

// TestFraming compares the stream byte for byte.
func TestFraming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		p, end, ended := follow(f, "/v2/events?plan-format=light")
		if got := p.take(); got != attachedFrame || p.status != 200 || p.header.Get("Content-Type") != "text/event-stream" || f.after != 0 {
			t.Errorf("%d %v after %d\n%q", p.status, p.header, f.after, got)
		}
		f.events <- ev(7, "app_terminated_event", `{"appId":"/web"}`)
		f.events <- ev(8, "scheduler_disconnected_event", `{}`)
		f.events <- ev(9, "deployment_success", `{"id":"d"}`)
		if got, want := p.take(), "event: app_terminated_event\r\ndata: {\"appId\":\"/web\"}\r\nid: 7\r\n\r\nevent: deployment_success\r\ndata: {\"id\":\"d\"}\r\nid: 9\r\n\r\n"; got != want {
			t.Errorf("%q, wanted %q", got, want)
		}
		time.Sleep(11 * time.Second) // synctest
		if got := p.take(); got != "\r\n\r\n" {
			t.Errorf("two empty lines keep it alive: %q", got)
		}
		end()
		<-ended
		if !f.cancelled {
			t.Error("the subscription stays when its reader is gone")
		}
	})
}

// TestEventTypes: only what is asked for, the scheduler's on request, and no greeting.
func TestEventTypes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		p, end, ended := follow(f, "/v2/events?event_type=scheduler_disconnected_event&event_type=deployment_success")
		f.events <- ev(1, "app_terminated_event", `{}`)
		f.events <- ev(2, "scheduler_disconnected_event", `{}`)
		f.events <- ev(3, "deployment_success", `{}`)
		if got, want := p.take(), "event: scheduler_disconnected_event\r\ndata: {}\r\nid: 2\r\n\r\nevent: deployment_success\r\ndata: {}\r\nid: 3\r\n\r\n"; got != want {
			t.Errorf("%q, wanted %q", got, want)
		}
		end()
		<-ended
	})
}

// TestResume: a reader that comes back is told of a gap, once, and only if there is one.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		p, end, ended := follow(f, "/v2/events", "Last-Event-ID", "4")
		f.events <- ev(5, "a", `{}`)
		f.events <- ev(7, "b", `{}`)
		if got, want := p.take(), attachedFrame+"event: a\r\ndata: {}\r\nid: 5\r\n\r\nevent: b\r\ndata: {}\r\nid: 7\r\n\r\n"; got != want || f.after != 4 {
			t.Errorf("after %d: %q, wanted %q", f.after, got, want)
		}
		end()
		<-ended
		p, end, ended = follow(f, "/v2/events", "Last-Event-ID", "4")
		f.events <- ev(9, "a", `{}`)
		f.events <- ev(12, "b", `{}`)
		gap := "event: gap\r\ndata: {\"eventType\":\"gap\",\"timestamp\":\"2000-01-01T00:00:00.000Z\",\"after\":4,\"first\":9}\r\n\r\n"
		if got, want := p.take(), attachedFrame+gap+"event: a\r\ndata: {}\r\nid: 9\r\n\r\nevent: b\r\ndata: {}\r\nid: 12\r\n\r\n"; got != want {
			t.Errorf("%q, wanted %q", got, want)
		}
		end()
		<-ended
	})
}

// TestStreamEnds when the backend closes it and when the connection is broken.
func TestStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		_, _, ended := follow(f, "/v2/events")
		close(f.events)
		<-ended
		g := newFake()
		p, _, ended := follow(g, "/v2/events")
		p.take()
		p.mu.Lock()
		p.broken = true
		p.mu.Unlock()
		g.events <- ev(1, "a", `{}`)
		<-ended
	})
}

// TestSlowReaderIsCutOff over a real connection that nobody reads from.
func TestSlowReaderIsCutOff(t *testing.T) {
	f := newFake()
	o := DefaultOptions()
	o.WriteTimeout = 20 * time.Millisecond
	h := New(f, o, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(gateway.WithCaller(r.Context(), gateway.Caller{Operator: true})))
		})
	})
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		h.ServeHTTP(w, r)
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/v2/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	large := fmt.Sprintf(`{"x":"%s"}`, strings.Repeat("x", 1<<20))
	for id := uint64(1); ; id++ {
		select {
		case f.events <- ev(id, "a", large):
		case <-done:
			return
		case <-ctx.Done():
			t.Fatalf("the reader is not cut off after %d MiB", id)
		}
	}
}

package api

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// streamEvents follows the events. With Last-Event-ID it begins after that one; where
// that is no longer possible an event of the type gap says so first.
func (s *server) streamEvents(c *call) (rest.Answer, error) {
	if !slices.ContainsFunc(c.R.Header.Values("Accept"), func(v string) bool { return strings.Contains(v, "text/event-stream") }) {
		c.W.Header().Set("Allow", http.MethodGet)
		return rest.Answer{}, app.Refusef(http.StatusMethodNotAllowed, "The events are a stream; ask for it by the header Accept: text/event-stream.")
	}
	var after uint64
	if last := c.R.Header.Get("Last-Event-ID"); last != "" {
		var err error
		if after, err = strconv.ParseUint(last, 10, 64); err != nil {
			return rest.Answer{}, app.Refusef(http.StatusBadRequest, "Last-Event-ID must be the number of an event, and is %q.", rest.Cut(last))
		}
	}
	if c.R.Method == http.MethodHead {
		return rest.Answer{Status: http.StatusOK}, nil
	}
	st := &stream{types: c.R.URL.Query()["event_type"], keepAlive: s.opts.KeepAlive, timeout: s.opts.WriteTimeout, after: after, done: c.R.Context().Done()}
	return rest.Answer{Stream: func(w http.ResponseWriter) {
		events, cancel := s.backend.Subscribe(after)
		defer cancel()
		st.run(w, events, event.New(time.Now(), event.StreamAttached{RemoteAddress: c.ClientIP()}))
	}}, nil
}

// stream is one reader of the events.
type stream struct {
	types     []string // none for all but those on request
	keepAlive time.Duration
	timeout   time.Duration // for one write
	after     uint64        // where the reader left off; 0 for nowhere
	done      <-chan struct{}
}

// run writes events until the reader is gone or too slow, or the channel is closed. It
// begins with one that says that the reader is attached, which no other reader gets.
func (st *stream) run(w http.ResponseWriter, events <-chan event.Event, attached event.Event) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	write := func(frames []byte) bool {
		// A writer without deadlines is one of a test; a connection has them.
		_ = control.SetWriteDeadline(time.Now().Add(st.timeout))
		_, err := w.Write(frames)
		return err == nil && control.Flush() == nil
	}
	if !write(st.frames(attached)) {
		return
	}
	quiet := time.NewTicker(st.keepAlive)
	defer quiet.Stop()
	for {
		var out []byte
		select {
		case <-st.done:
			return
		case <-quiet.C:
			out = []byte("\r\n")
		case e, open := <-events:
			if !open {
				return
			}
			if out = st.gather(e, events); len(out) == 0 {
				continue
			}
			quiet.Reset(st.keepAlive)
		}
		if !write(out) {
			return
		}
	}
}

// gather writes an event and those that wait behind it, so that a burst is one write.
func (st *stream) gather(e event.Event, events <-chan event.Event) []byte {
	const most = 64 << 10 // bytes, beyond which the next write begins
	var out []byte
	for {
		if st.after > 0 && e.ID > st.after+1 {
			out = append(out, frame(event.New(time.Now(), event.Gap{After: st.after, First: e.ID}))...)
		}
		st.after = 0 // told once
		out = append(out, st.frames(e)...)
		if len(out) > most {
			return out
		}
		select {
		case next, open := <-events:
			if !open {
				return out
			}
			e = next
		default:
			return out
		}
	}
}

// frames is the frame of an event that the reader wants, else nothing.
func (st *stream) frames(e event.Event) []byte {
	if len(st.types) == 0 && event.OnRequest(e.Type) || len(st.types) > 0 && !slices.Contains(st.types, e.Type) {
		return nil
	}
	return frame(e)
}

// frame writes an event for the wire. marathon-lb splits at CRLF and "data: "; the id
// stands last, where it is in nobody's way.
func frame(e event.Event) []byte {
	var b bytes.Buffer
	b.WriteString("event: " + e.Type + "\r\ndata: ")
	b.Write(e.Data)
	if e.ID > 0 {
		b.WriteString("\r\nid: " + strconv.FormatUint(e.ID, 10))
	}
	b.WriteString("\r\n\r\n")
	return b.Bytes()
}

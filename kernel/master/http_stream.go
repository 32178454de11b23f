package master

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/view"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// Limits of a stream's records: clients refuse one over 4 MiB, and what is
// encoded before a write should not grow without bound.
const (
	maxRecord   = 3 << 20
	maxBuffered = 1 << 20
)

func newSession() cluster.Session { return cluster.Session(uuid.NewString()) }

// openStream puts the item that opens s before the loop and, when it is taken in,
// writes the stream until it ends. It gives the refusal, if there is one.
func (m *Master) openStream(w http.ResponseWriter, req *http.Request, e wire.Encoding, s *stream, it item) error {
	l := m.leader()
	if l == nil {
		return notLeading()
	}
	it.asks, it.opens = newExchange(1), s
	if !l.inbox.put(it) {
		return notLeading()
	}
	defer l.inbox.put(item{shuts: s.session})
	select {
	case <-it.asks.done:
	case <-req.Context().Done():
		return sdk.Errorf(sdk.CodeUnavailable, "", "the caller is gone")
	}
	if it.asks.err != nil {
		return it.asks.err
	}
	if s.opened != nil {
		defer s.opened()()
	}
	m.serveStream(w, req, e, s)
	return nil
}

// serveStream answers with a stream until it ends.
func (m *Master) serveStream(w http.ResponseWriter, req *http.Request, e wire.Encoding, s *stream) {
	h := w.Header()
	h.Set("Content-Type", e.ContentType())
	h.Set("Mesos-Stream-Id", string(s.session))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	if err := m.writeStream(w, req.Context(), e, s); err != nil {
		m.opts.Log.Debug("stream ended", "kind", s.kind, "session", s.session, "why", err)
	}
}

// writeStream sends what is queued, all that waits in one flush, until the stream
// ends, its reader goes, or takes nothing for the write time-out.
func (m *Master) writeStream(w http.ResponseWriter, ctx context.Context, e wire.Encoding, s *stream) error {
	rc := http.NewResponseController(w)
	var beat <-chan time.Time
	if s.every > 0 {
		t := time.NewTicker(s.every)
		defer t.Stop()
		beat = t.C
	}
	send := func(buf []byte) error {
		err := rc.SetWriteDeadline(time.Now().Add(m.opts.WriteTimeout))
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
		return rc.Flush()
	}
	if err := send(nil); err != nil { // the head, before the first event
		return err
	}
	var events []any
	var buf, scratch []byte
	for {
		var over bool
		events, over = s.take(ctx, beat, events)
		buf = buf[:0]
		for _, event := range events {
			if op, ok := event.(*sdk.OperatorEvent); ok && e != wire.Msgpack && !view.Public(op) {
				continue // strict codecs of Mesos's clients would stop at it
			}
			var err error
			if buf, scratch, err = appendEvent(buf, scratch, e, event); err != nil {
				m.opts.Log.Error("an event could not be encoded and is left out", "kind", s.kind, "session", s.session, "error", err)
				continue
			}
			if len(buf) >= maxBuffered {
				if err := send(buf); err != nil {
					return err
				}
				buf = buf[:0]
			}
		}
		if len(buf) > 0 {
			if err := send(buf); err != nil {
				return err
			}
		}
		clear(events)
		if over {
			if why := s.why(); why != "" {
				return errors.New(why)
			}
			return nil
		}
	}
}

// appendEvent adds the record of an event. Offers that make too large a record, and
// launches with files inside that do, are sent in several.
func appendEvent(buf, scratch []byte, e wire.Encoding, event any) (out, kept []byte, err error) {
	if scratch, err = wire.Append(e, scratch[:0], event); err != nil {
		return buf, scratch, err
	}
	if ev, ok := event.(*sdk.Event); ok && len(scratch) > maxRecord && ev.Offers != nil && len(ev.Offers.Offers) > 1 {
		half := len(ev.Offers.Offers) / 2
		for _, part := range [][]sdk.Offer{ev.Offers.Offers[:half], ev.Offers.Offers[half:]} {
			if buf, scratch, err = appendEvent(buf, scratch, e, &sdk.Event{Type: ev.Type, Offers: &sdk.Offers{Offers: part}}); err != nil {
				return buf, scratch, err
			}
		}
		return buf, scratch, nil
	}
	if ev, ok := event.(*link.Event); ok && len(scratch) > maxRecord && ev.Run != nil && !ev.Run.Group && len(ev.Run.Tasks) > 1 {
		half := len(ev.Run.Tasks) / 2
		for _, part := range [][]sdk.TaskInfo{ev.Run.Tasks[:half], ev.Run.Tasks[half:]} {
			one, run := *ev, *ev.Run
			run.Tasks, one.Run = part, &run
			if buf, scratch, err = appendEvent(buf, scratch, e, &one); err != nil {
				return buf, scratch, err
			}
		}
		return buf, scratch, nil
	}
	return wire.AppendRecord(buf, scratch), scratch, nil
}

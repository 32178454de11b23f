package sdktest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

// scriptPatience is how long a script waits for what must happen.
const scriptPatience = 20 * time.Second

// client is one subscription of a script: the bare protocol, so that a script sees
// what is on the wire and nothing is done on its own.
type client struct {
	masters  *masters.Client
	enc      wire.Encoding
	ack      bool
	id       sdk.FrameworkID
	streamID string
	master   string
	cancel   context.CancelFunc

	offers []sdk.Offer // held, oldest first; of the script's goroutine

	mu      sync.Mutex
	pending []sdk.Event
	acked   map[string]bool // uuids
	ended   bool
	changed chan struct{}
}

func newClient(m *masters.Client, enc wire.Encoding, ack bool) *client {
	return &client{masters: m, enc: enc, ack: ack, acked: map[string]bool{}, changed: make(chan struct{}, 1)}
}

// subscribe opens the stream and reads it in the background.
func (c *client) subscribe(call *sdk.Call) error {
	ctx, cancel := context.WithCancel(context.Background())
	body, err := wire.Marshal(c.enc, call)
	if err != nil {
		cancel()
		return err
	}
	resp, err := c.masters.Do(ctx, masters.Request{
		Op: "subscribe", Method: http.MethodPost, Path: "/api/v1/scheduler", Body: body,
		Header: http.Header{"Content-Type": {c.enc.ContentType()}, "Accept": {c.enc.ContentType()}},
	})
	if err != nil {
		cancel()
		return err
	}
	c.cancel = cancel
	c.streamID = resp.Header.Get("Mesos-Stream-Id")
	c.master = resp.Request.URL.Scheme + "://" + resp.Request.URL.Host
	c.id = call.FrameworkID
	go c.read(resp.Body)
	return nil
}

func (c *client) read(body io.ReadCloser) {
	defer func() { _ = body.Close() }()
	for records := wire.NewReader(body, 16<<20); ; {
		record, err := records.Next()
		var event sdk.Event
		if err == nil {
			err = wire.Unmarshal(c.enc, record, &event)
		}
		c.mu.Lock()
		if c.ended = err != nil; !c.ended && event.Type != sdk.EventHeartbeat {
			c.pending = append(c.pending, event)
		}
		c.mu.Unlock()
		select {
		case c.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// take removes the first pending event that fits, waiting for it.
func (c *client) take(fits func(*sdk.Event) bool, patience time.Duration) (*sdk.Event, bool) {
	late := time.After(patience)
	for {
		c.mu.Lock()
		for i := range c.pending {
			if event := c.pending[i]; fits(&event) {
				c.pending = slices.Delete(c.pending, i, i+1)
				c.mu.Unlock()
				return &event, c.received(&event)
			}
		}
		ended := c.ended
		c.mu.Unlock()
		if ended {
			return nil, false
		}
		select {
		case <-c.changed:
		case <-late:
			return nil, false
		}
	}
}

// received does what a framework must with an event, and tells whether it is new.
func (c *client) received(event *sdk.Event) bool {
	switch {
	case event.Subscribed != nil:
		c.id = event.Subscribed.FrameworkID
	case event.Offers != nil:
		c.offers = append(c.offers, event.Offers.Offers...)
	case event.Rescind != nil:
		c.offers = slices.DeleteFunc(c.offers, func(o sdk.Offer) bool { return o.ID == event.Rescind.OfferID })
	case event.Update != nil:
		s := event.Update.Status
		if len(s.UUID) == 0 || !c.ack {
			return true
		}
		known := c.acked[string(s.UUID)]
		c.acked[string(s.UUID)] = true
		_ = c.call(sdk.Call{Type: sdk.CallAcknowledge, Acknowledge: &sdk.Acknowledge{AgentID: s.AgentID, TaskID: s.TaskID, UUID: s.UUID}})
		return !known
	}
	return true
}

// waitForEnd tells whether the stream ends in time.
func (c *client) waitForEnd() bool {
	ctx, cancel := context.WithTimeout(context.Background(), scriptPatience)
	defer cancel()
	return waitUntil(ctx, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.ended
	})
}

// call sends one call and gives the master's refusal, if any.
func (c *client) call(call sdk.Call) error {
	call.FrameworkID = c.id
	body, err := wire.Marshal(c.enc, &call)
	if err != nil {
		return err
	}
	return c.post(c.enc.ContentType(), body)
}

func (c *client) post(contentType string, body []byte) error {
	// Refusals come as a message to whoever accepts msgpack, as a text to others.
	h := http.Header{"Content-Type": {contentType}, "Accept": {wire.Msgpack.ContentType()}}
	if c.streamID != "" {
		h["Mesos-Stream-Id"] = []string{c.streamID}
	}
	ctx, cancel := context.WithTimeout(context.Background(), scriptPatience)
	defer cancel()
	resp, err := c.masters.Do(ctx, masters.Request{Op: "call", Method: http.MethodPost, Path: "/api/v1/scheduler", Body: body, Header: h, Only: c.master})
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// refusalLine is an answer as a transcript shows it: its status, and which field
// is at fault.
func refusalLine(err error, ok string) string {
	var e *sdk.Error
	switch {
	case err == nil:
		return ok
	case !errors.As(err, &e):
		return "broken: " + err.Error()
	case e.Field != "":
		return string(e.Code) + " " + e.Field
	}
	return string(e.Code)
}

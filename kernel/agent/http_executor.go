package agent

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

const (
	maxBody  = 64 << 20
	maxCalls = 4096 // in one body
)

// serveExecutor takes calls of executors: SUBSCRIBE alone, others alone or many.
func (a *Agent) serveExecutor(w http.ResponseWriter, r *http.Request) {
	if !a.recovered.Load() {
		refuse(w, sdk.Errorf(sdk.CodeUnavailable, "", "Agent has not finished recovery"))
		return
	}
	body, err := wire.ParseBody(r.Header.Get("Content-Type"), r.Header.Get(wire.HeaderMessageContentType))
	if err != nil {
		refuse(w, err)
		return
	}
	buf := a.bodies.Get().(*bytes.Buffer)
	defer a.bodies.Put(buf)
	buf.Reset()
	if _, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		refuse(w, sdk.Errorf(sdk.CodeTooLarge, "", "the body cannot be read: %v", err))
		return
	}
	calls, err := wire.UnmarshalBody[sdk.ExecutorCall](body, buf.Bytes(), maxCalls)
	if err != nil {
		refuse(w, err)
		return
	}
	who := a.claimsOf(r)
	facts := make([]ledger.Input, 0, len(calls))
	for i := range calls {
		if err := a.checkCall(who, &calls[i]); err != nil {
			refuse(w, err)
			return
		}
		if calls[i].Type == sdk.ExecutorCallSubscribe {
			if len(calls) > 1 {
				refuse(w, sdk.Errorf(sdk.CodeInvalid, "type", "SUBSCRIBE opens a stream and must be alone in its body"))
				return
			}
			a.subscribe(w, r, body.Encoding, &calls[0])
			return
		}
		if calls[i].Type != sdk.ExecutorCallHeartbeat {
			facts = append(facts, ledger.FromExecutor{Call: &calls[i]})
		}
	}
	for i := range calls {
		a.meet(&calls[i])
	}
	if len(facts) > 0 {
		a.inbox.put(facts...)
	}
	w.WriteHeader(http.StatusAccepted)
}

// meet makes the acquaintance of a process before anybody is told that it runs.
func (a *Agent) meet(c *sdk.ExecutorCall) {
	if c.Type != sdk.ExecutorCallUpdate {
		return
	}
	a.meetUpdate(c.FrameworkID, c.Update)
}

func (a *Agent) meetUpdate(f sdk.FrameworkID, u *sdk.ExecutorUpdate) {
	if u.WaitStatus != nil && u.Status.WaitStatus == nil {
		u.Status.WaitStatus = u.WaitStatus
	}
	if u.Process == nil && u.Status.WaitStatus == nil {
		return
	}
	x := a.boxes.find(f, u.Status.TaskID)
	if x == nil {
		return
	}
	a.leaveSlot(x)
	if u.Status.WaitStatus != nil {
		x.mu.Lock()
		x.settled = true
		x.mu.Unlock()
	} else if u.Process != nil {
		a.watch.add(x, *u.Process)
	}
}

// subscribe answers with the executor's event stream.
func (a *Agent) subscribe(w http.ResponseWriter, r *http.Request, sent wire.Encoding, call *sdk.ExecutorCall) {
	encoding := sent
	if accept := r.Header.Values("Accept"); len(accept) > 0 {
		e, ok := wire.ParseAccept(accept)
		if !ok {
			http.Error(w, "none of the encodings in Accept is spoken: application/x-msgpack, application/json, application/x-protobuf", http.StatusNotAcceptable)
			return
		}
		encoding = e
	}
	if call.Subscribe != nil {
		for i := range call.Subscribe.UnacknowledgedUpdates {
			a.meetUpdate(call.FrameworkID, &call.Subscribe.UnacknowledgedUpdates[i])
		}
	}
	if p := peerOf(r); p.own {
		a.renewExecutor(p.pid)
	}
	conn := a.executors.open(executorKey{call.FrameworkID, call.ExecutorID}, encoding)
	defer a.executors.remove(conn)
	a.inbox.put(ledger.FromExecutor{Conn: conn.id, Call: call})
	defer a.inbox.put(ledger.ExecutorClosed{Conn: conn.id})
	_ = stream(w, r, conn) // the reader has gone, or was told to
}

// stream writes events as long as the connection lasts, all that wait per flush.
func stream(w http.ResponseWriter, r *http.Request, conn *connection) error {
	control := http.NewResponseController(w)
	var buf []byte
	for begun := false; ; {
		select {
		case <-r.Context().Done():
			return r.Context().Err()
		case <-conn.signal:
		}
		events, closed, refused := conn.take()
		if closed && refused != nil && !begun {
			refuse(w, refused)
			return refused
		}
		if closed {
			return nil
		}
		if !begun {
			begun = true
			w.Header().Set("Content-Type", conn.encoding.ContentType())
			w.Header().Set("Mesos-Stream-Id", strconv.FormatUint(conn.id, 10))
			w.WriteHeader(http.StatusOK)
		}
		buf = buf[:0]
		for _, e := range events {
			next, err := wire.AppendMessage(conn.encoding, buf, e)
			if err != nil {
				return err
			}
			buf = next
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
		if err := control.Flush(); err != nil {
			return err
		}
		conn.wakeIfClosed()
	}
}

// wakeIfClosed has the writer look once more when the close came with the last
// events.
func (c *connection) wakeIfClosed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		c.wake()
	}
}

// checkCall refuses what Mesos refuses, with its words where clients know them.
func (a *Agent) checkCall(who caller, c *sdk.ExecutorCall) error {
	invalid := func(format string, args ...any) error {
		return sdk.Errorf(sdk.CodeInvalid, "", "Failed to validate Executor::Call: "+format, args...)
	}
	key := executorKey{c.FrameworkID, c.ExecutorID}
	if !who.local && !a.o.Insecure && (who.claims.FrameworkID != c.FrameworkID || who.claims.ExecutorID != c.ExecutorID) {
		return sdk.Errorf(sdk.CodeDenied, "executor_id", "the token is that of another executor")
	}
	switch c.Type {
	case sdk.ExecutorCallSubscribe:
		if c.Subscribe == nil {
			c.Subscribe = &sdk.ExecutorSubscribe{}
		}
		return nil
	case sdk.ExecutorCallUpdate:
		if c.Update == nil {
			return invalid("Expecting 'update' to be present")
		}
		if err := checkStatus(c, invalid); err != nil {
			return err
		}
	case sdk.ExecutorCallMessage:
		if c.Message == nil {
			return invalid("Expecting 'message' to be present")
		}
	case sdk.ExecutorCallHeartbeat:
	default:
		return invalid("Expecting 'type' to be present")
	}
	if !a.executors.subscribed(key) {
		return sdk.Errorf(sdk.CodeDenied, "", "Executor is not subscribed")
	}
	return nil
}

func checkStatus(c *sdk.ExecutorCall, invalid func(string, ...any) error) error {
	s := &c.Update.Status
	switch {
	case len(s.UUID) == 0:
		return invalid("Expecting 'uuid' to be present")
	case len(s.UUID) != 16:
		return invalid("Not a valid UUID")
	case s.ExecutorID != "" && s.ExecutorID != c.ExecutorID:
		return invalid("ExecutorID in Call: %s does not match ExecutorID in TaskStatus: %s", c.ExecutorID, s.ExecutorID)
	case s.Source != sdk.SourceExecutor:
		return invalid("Received Call from executor %s of framework %s with invalid source, expecting 'SOURCE_EXECUTOR'", c.ExecutorID, c.FrameworkID)
	case s.State == sdk.TaskStaging || s.State == "":
		return invalid("Received %s from executor %s of framework %s which is not allowed", s.State, c.ExecutorID, c.FrameworkID)
	}
	return sdk.ValidateID("update.status.task_id", s.TaskID)
}

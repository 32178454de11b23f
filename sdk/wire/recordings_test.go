package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/profferhq/proffer/sdk"
)

// newRequest and newEvent make the Go value for a body of an endpoint.
func (x *exchange) newRequest() any {
	if strings.HasSuffix(x.path, "/executor") {
		return new(sdk.ExecutorCall)
	}
	return new(sdk.Call)
}

func (x *exchange) newEvent() any {
	if strings.HasSuffix(x.path, "/executor") {
		return new(sdk.ExecutorEvent)
	}
	return new(sdk.Event)
}

// refusedForShape are the beginnings of Mesos's answers to a body that it could
// not read; all its other refusals are about what the body says.
var refusedForShape = []string{"Failed to parse body", "Failed to convert JSON"}

// TestRecordingsRequests reads every request body that the real Mesos read, and
// refuses every one that it refused for its shape.
func TestRecordingsRequests(t *testing.T) {
	read, refused := 0, 0
	for _, x := range readRecordings(t) {
		body, err := ParseBody(x.contentType, "")
		if err != nil || body.Encoding.ContentType() != x.contentType {
			continue // 400 and 415 about the header
		}
		shape := false
		for _, prefix := range refusedForShape {
			shape = shape || x.status == 400 && strings.HasPrefix(x.answer, prefix)
		}
		v := x.newRequest()
		err = Unmarshal(body.Encoding, x.body, v)
		if reason := refusedByValidation[x.String()]; x.status == 400 && !shape && reason != x.answer {
			t.Errorf("%s: not listed in refusedByValidation: %q", x, x.answer)
		}
		switch {
		case shape:
			refused++
			if err == nil {
				t.Errorf("%s: read, but Mesos says: %s", x, x.answer)
			} else {
				checkRefusal(t, x, err)
			}
		case err != nil:
			t.Errorf("%s: %v\nMesos answered %d %s\n%s", x, err, x.status, x.answer, x.body)
		default:
			read++
			compareRecorded(t, x.String(), body.Encoding, x.body, v, expectedOfRequest)
		}
	}
	t.Logf("%d request bodies read, %d refused", read, refused)
	if read < 300 || refused < 15 {
		t.Errorf("%d read and %d refused are too few: recordings are missing", read, refused)
	}
}

// TestRecordingsEvents reads every event that the real Mesos sent, and writes it
// again.
func TestRecordingsEvents(t *testing.T) {
	n := 0
	for _, x := range readRecordings(t) {
		for i, record := range x.records {
			e, err := ParseContentType(x.answerType)
			if err != nil {
				t.Fatalf("%s: %v", x, err)
			}
			name := fmt.Sprintf("%s record %d", x, i+1)
			v := x.newEvent()
			if err := Unmarshal(e, record, v); err != nil {
				t.Errorf("%s: %v\n%s", name, err, record)
				continue
			}
			n++
			compareRecorded(t, name, e, record, v, nil)
		}
	}
	t.Logf("%d events", n)
	if n < 500 {
		t.Errorf("%d events are too few: recordings are missing", n)
	}
}

// checkRefusal compares the field that we name with the one that Mesos names.
func checkRefusal(t *testing.T, x *exchange, err error) {
	t.Helper()
	e, ok := err.(*sdk.Error)
	if !ok || e.Code != sdk.CodeInvalid || e.Message == "" {
		t.Errorf("%s: the refusal is %#v", x, err)
		return
	}
	if _, missing, ok := strings.Cut(x.answer, "Missing required fields: "); ok {
		if first, _, _ := strings.Cut(missing, ","); e.Field != first {
			t.Errorf("%s: names %q, Mesos %q", x, e.Field, first)
		}
	}
	if _, field, ok := strings.Cut(x.answer, "for field '"); ok {
		if field, _, _ = strings.Cut(field, "'"); !strings.HasSuffix("."+e.Field, "."+field) {
			t.Errorf("%s: names %q, Mesos %q", x, e.Field, field)
		}
	}
}

// compareRecorded writes v, which was read from recorded, again and compares.
func compareRecorded(t *testing.T, name string, e Encoding, recorded []byte, v any, change func(*plan, map[string]any) map[string]any) {
	t.Helper()
	again, err := Marshal(e, v)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if e == Protobuf {
		if !bytes.Equal(recorded, again) && !bytes.Equal(withoutCheckpoint(t, recorded), again) {
			t.Errorf("%s: other bytes\n%x\n%x", name, recorded, again)
		}
		return
	}
	var was, is map[string]any
	if err := json.Unmarshal(recorded, &was); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if err := json.Unmarshal(again, &is); err != nil {
		t.Errorf("%s: %v\n%s", name, err, again)
		return
	}
	if change != nil {
		p, err := planOf(reflect.TypeOf(v).Elem())
		if err != nil {
			t.Fatal(err)
		}
		was = change(p, was)
	}
	if d := cmp.Diff(was, is); d != "" {
		t.Errorf("%s: %s", name, d)
	}
}

// withoutCheckpoint is an executor's SUBSCRIBED event without AgentInfo's field 7.
// The agent of Mesos 1.12 still sends it, from a field that v1 no longer has.
func withoutCheckpoint(t *testing.T, event []byte) []byte {
	t.Helper()
	i := bytes.Index(event, []byte{0x38, 0x01, 0x22}) // 7: true, then container_id
	if i < 0 {
		return event
	}
	out := append(bytes.Clone(event[:i]), event[i+2:]...)
	shorten := func(at int) { out[at] -= 2 }
	shorten(3) // the event's field subscribed
	agent := bytes.LastIndex(out[:i], []byte("\x0a\x09127.0.0.1")) - 2
	shorten(agent)
	return out
}

package event

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
)

// Event is one entry of the stream.
type Event struct {
	ID   uint64 // rises by one per event; told by who keeps the stream
	Type string // as in status_update_event
	Data []byte // one line of JSON, an object with eventType and timestamp
}

// Body is what one type of event says beside its type and time.
type Body interface{ EventType() string }

// New writes an event that happened at a time.
func New(at time.Time, b Body) Event {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	head := struct {
		EventType string `json:"eventType"`
		Timestamp string `json:"timestamp"`
	}{b.EventType(), app.Timestamp(at)}
	if e.Encode(head) != nil {
		panic("event: texts cannot be written as JSON")
	}
	cut := out.Len()
	if err := e.Encode(b); err != nil {
		panic("event: " + head.EventType + " cannot be written as JSON: " + err.Error()) // plain data always can
	}
	all := bytes.ReplaceAll(out.Bytes(), []byte("\n"), nil)
	first, rest := all[:cut-1], all[cut-1:]
	if string(rest) != "{}" {
		first = append(append(bytes.Clone(first[:len(first)-1]), ','), rest[1:]...)
	}
	return Event{Type: head.EventType, Data: first}
}

// OnRequest tells whether events of the type go only to who asks for it by name:
// marathon-python 0.13 dies of a type that it does not know.
func OnRequest(eventType string) bool { return strings.HasPrefix(eventType, "scheduler_") }

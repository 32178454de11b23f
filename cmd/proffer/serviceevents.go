package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk/masters"
)

func serviceEventsCommand(c *client) *cobra.Command {
	var types []string
	cmd := &cobra.Command{
		Use: "events", Short: "Print what happens to services, as it happens; ctrl-C ends it", Args: cobra.NoArgs,
		Example: "  proffer service events\n  proffer service events --type status_update_event --type deployment_success --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.services()
			if err != nil {
				return err
			}
			err = s.events(cmd.Context(), types, func(e event) {
				if c.json {
					fmt.Fprintln(c.io.out, string(e.Data))
				} else {
					fmt.Fprintln(c.io.out, e.line())
				}
			})
			if cmd.Context().Err() != nil {
				return nil
			}
			return err
		},
	}
	cmd.Flags().StringArrayVar(&types, "type", nil, "only events of this type, such as status_update_event (may be repeated)")
	return cmd
}

// maxEvent bounds one event, in bytes.
const maxEvent = 4 << 20

// event is one of Marathon's events.
type event struct {
	ID   string
	Type string
	Data []byte // one line of JSON
}

func (e event) decode(into any) error { return json.Unmarshal(e.Data, into) }

// events hands on what happens, from now on, until ctx ends. A stream that breaks is opened
// again where it ended, so that nothing is missed that marathonish still has.
func (s *services) events(ctx context.Context, types []string, handle func(event)) error {
	query := url.Values{"event_type": types}
	last, broken := "", false
	for {
		h := http.Header{"Accept": {"text/event-stream"}}
		if last != "" {
			h.Set("Last-Event-Id", last)
		}
		var resp *http.Response
		open := func() (err error) {
			resp, err = s.do(ctx, masters.Request{Op: "follow events", Method: http.MethodGet, Path: "/v2/events?" + query.Encode(), Header: h})
			return err
		}
		err := open()
		if broken && err != nil {
			err = s.patiently(ctx, open)
		}
		if err != nil {
			return err
		}
		_ = readEvents(resp.Body, func(e event) {
			if e.ID != "" {
				last = e.ID
			}
			handle(e)
		})
		_ = resp.Body.Close()
		broken = true
		if err := pause(ctx, serviceRetry); err != nil {
			return err
		}
	}
}

// readEvents reads server-sent events until the stream ends.
func readEvents(r io.Reader, handle func(event)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEvent)
	var e event
	for lines.Scan() {
		line := bytes.TrimSuffix(lines.Bytes(), []byte("\r"))
		if len(line) == 0 {
			if len(e.Data) > 0 {
				handle(e)
			}
			e = event{}
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "id":
			e.ID = string(value)
		case "event":
			e.Type = string(value)
		case "data":
			if len(e.Data) > 0 {
				e.Data = append(e.Data, '\n')
			}
			e.Data = append(e.Data, value...)
		}
	}
	return lines.Err()
}

// line is an event for people: when, what, and whom it concerns.
func (e event) line() string {
	fields := map[string]any{}
	_ = e.decode(&fields)
	at, _ := fields["timestamp"].(string)
	words := []string{at, e.Type}
	for _, key := range []string{"appId", "runSpecId", "groupId", "taskId", "instanceId", "id", "taskStatus", "condition", "host", "uri", "alive", "healthy", "reason", "message"} {
		switch v := fields[key].(type) {
		case string:
			if v != "" && !slices.Contains(words, v) {
				words = append(words, firstLine(v))
			}
		case bool:
			words = append(words, fmt.Sprintf("%s=%t", key, v))
		}
	}
	if plan, ok := fields["plan"].(map[string]any); ok {
		if id, ok := plan["id"].(string); ok && !slices.Contains(words, id) {
			words = append(words, id)
		}
	}
	return strings.Join(words, "  ")
}

// verdicts remembers how deployments have ended. Any goroutine may use it.
type verdicts struct {
	mu    sync.Mutex
	ended map[string]error
}

func newVerdicts() *verdicts { return &verdicts{ended: map[string]error{}} }

func (v *verdicts) take(e event) {
	id, err := verdictOf(e)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ended[id] = err
}

// of tells whether a deployment has ended, and how.
func (v *verdicts) of(id string) (ended bool, failed error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	failed, ended = v.ended[id]
	return ended, failed
}

package master

import (
	"net/http"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk/wire"
)

// Every route says who may use it and what it is for, once.
func TestEveryRouteIsDocumentedAndPermitted(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Routes() {
		if seen[r.Path] || !strings.HasPrefix(r.Path, "/") {
			t.Errorf("%s is there twice, or no path", r.Path)
		}
		seen[r.Path] = true
		if r.Method == "" || r.Doc == "" || !strings.HasSuffix(r.Doc, ".") || r.handler == nil {
			t.Errorf("%s lacks a method, a documentation or a handler", r.Path)
		}
		switch r.Permission {
		case open:
		case known, schedulers, operators, admins, agents:
			if r.Realm == "" {
				t.Errorf("%s has no realm for its 401", r.Path)
			}
		default:
			t.Errorf("%s has the permission %q", r.Path, r.Permission)
		}
	}
}

// One wrong call of a sequence is named by its place; the others are taken.
func TestRefusalInASequenceNamesItsPlace(t *testing.T) {
	r := start(t, false)
	s := r.open("/api/v1/scheduler", jsonHeader(), []byte(subscribeBody()))
	id := string(s.next().Subscribed.FrameworkID)
	h := jsonHeader("Mesos-Stream-Id", s.resp.Header.Get("Mesos-Stream-Id"), wire.HeaderMessageContentType, wire.ContentTypeJSON)
	h.Set("Content-Type", wire.ContentTypeRecordIO)
	sequence := func(calls ...string) string {
		var body []byte
		for _, c := range calls {
			body = wire.AppendRecord(body, []byte(strings.ReplaceAll(c, "ID", `"framework_id":{"value":"`+id+`"}`)))
		}
		return string(body)
	}
	suppress := `{"type":"SUPPRESS",ID}`
	badAck := `{"type":"ACKNOWLEDGE",ID,"acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"AAAA"}}`
	unknown := `{"type":"RECONCILE",ID,"reconcile":{"tasks":[{"task_id":{"value":"t"},"agent_id":{"value":"nobody"}}]}}`
	resp, text := r.do(http.MethodPost, "/api/v1/scheduler", h, sequence(suppress, badAck, unknown))
	if resp.StatusCode != 400 || !strings.HasPrefix(text, "[1].acknowledge.uuid: ") {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
	for ev := s.next(); ; ev = s.next() {
		if ev.Update != nil {
			break // the call behind the wrong one was taken
		}
	}
	resp, text = r.do(http.MethodPost, "/api/v1/scheduler", h, sequence(suppress, `{"type":`))
	if resp.StatusCode != 400 || !strings.Contains(text, "[1]") {
		t.Errorf("a sequence that can not be read: %d %q", resp.StatusCode, text)
	}
	resp, text = r.do(http.MethodPost, "/api/v1/scheduler", h, sequence(suppress, subscribeBody()))
	if resp.StatusCode != 400 || !strings.Contains(text, "only call") {
		t.Errorf("SUBSCRIBE in a sequence: %d %q", resp.StatusCode, text)
	}
	if resp, text := r.do(http.MethodPost, "/api/v1/scheduler", h, ""); resp.StatusCode != 400 || text == "" {
		t.Errorf("an empty sequence: %d %q", resp.StatusCode, text)
	}
}

// The numbers are there, and no label names a framework or an agent.
func TestMetricsCountAndNameNobody(t *testing.T) {
	r := start(t, false)
	a := r.registerAgent("host1", "cpus:1;mem:64")
	s := r.open("/api/v1/scheduler", jsonHeader(), []byte(subscribeBody()))
	id := string(s.next().Subscribed.FrameworkID)
	resp, text := r.do(http.MethodGet, "/metrics", nil, "")
	if resp.StatusCode != 200 {
		t.Fatalf("%d", resp.StatusCode)
	}
	for _, want := range []string{"proffer_master_leading 1", `proffer_master_streams{stream="agent"} 1`, `proffer_master_streams{stream="scheduler"} 1`, "go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(text, id) || strings.Contains(text, string(a.id)) {
		t.Error("a label names a framework or an agent")
	}
}

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// post sends a body to the scheduler's endpoint and gives status and answer.
func post(t *testing.T, c *cluster, path, contentType, streamID string, body []byte) (int, string) {
	t.Helper()
	return postAs(t, c, c.token(), path, contentType, streamID, body)
}

func postAs(t *testing.T, c *cluster, token, path, contentType, streamID string, body []byte) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+c.addr()+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+token)
	if streamID != "" {
		req.Header.Set("Mesos-Stream-Id", streamID)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// subscribe opens a stream in JSON and gives its id and framework id.
func subscribe(t *testing.T, c *cluster) (stream, framework string) {
	t.Helper()
	body := `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"","name":"json","roles":["*"],"capabilities":[{"type":"MULTI_ROLE"}]}}}`
	req, err := http.NewRequest(http.MethodPost, "http://"+c.addr()+"/api/v1/scheduler", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 {
		t.Fatalf("SUBSCRIBE: %s", resp.Status)
	}
	first := make([]byte, 4096)
	n, err := resp.Body.Read(first)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(first[:n]), `"framework_id":{"value":"`)
	id, _, found := strings.Cut(rest, `"`)
	if !found {
		t.Fatalf("SUBSCRIBED: %s", first[:n])
	}
	return resp.Header.Get("Mesos-Stream-Id"), id
}

// TestBadBodies: what is wrong is refused with a status and a sentence that names it, and
// the master answers the next right call as before.
func TestBadBodies(t *testing.T) {
	c := startCluster(t)
	stream, id := subscribe(t, c)
	call := func(format string, args ...any) []byte {
		return []byte(`{"framework_id":{"value":"` + id + `"},` + fmt.Sprintf(format, args...) + `}`)
	}
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	rows := []struct {
		name, contentType string
		body              []byte
		status            int
		says              string
	}{
		{"no JSON", "application/json", []byte("{"), 400, ""},
		{"text behind the object", "application/json", call(`"type":"REVIVE"} x`), 400, ""},
		{"no type", "application/json", call(`"kill":{"task_id":{"value":"x"}}`), 400, "type"},
		{"unknown type", "application/json", call(`"type":"NONSENSE"`), 400, "type"},
		{"no body", "application/json", call(`"type":"KILL"`), 400, "kill"},
		{"missing field", "application/json", call(`"type":"KILL","kill":{}`), 400, "task_id"},
		{"number for a string", "application/json", call(`"type":"KILL","kill":{"task_id":{"value":7}}`), 400, "task_id"},
		{"string for a message", "application/json", call(`"type":"KILL","kill":{"task_id":"x"}`), 400, "task_id"},
		{"short uuid", "application/json", call(`"type":"ACKNOWLEDGE","acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"QQ=="}`), 400, "uuid"},
		{"deep JSON", "application/json", []byte(deep), 400, ""},
		{"msgpack bomb", "application/x-msgpack", []byte{0xdd, 0xff, 0xff, 0xff, 0xff}, 400, ""},
		{"deep msgpack", "application/x-msgpack", bytes.Repeat([]byte{0x91}, 1<<20), 400, ""},
		{"protobuf bomb", "application/x-protobuf", []byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f}, 400, ""},
		{"another content type", "text/plain", []byte("hello"), 415, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			status, text := post(t, c, "/api/v1/scheduler", row.contentType, stream, row.body)
			if status != row.status && !(row.contentType == "application/x-protobuf" && status == 415) {
				t.Errorf("%d %s, not %d", status, text, row.status)
			}
			if text == "" || !strings.Contains(text, row.says) {
				t.Errorf("the answer %q does not speak of %q", text, row.says)
			}
		})
	}
	if status, text := post(t, c, "/api/v1/scheduler", "application/json", stream, call(`"type":"REVIVE"`)); status != 202 {
		t.Errorf("the next right call: %d %s", status, text)
	}
	if status, text := post(t, c, "/api/v1/scheduler", "application/json", "no-such-stream", call(`"type":"REVIVE"`)); status != 400 {
		t.Errorf("a wrong stream id: %d %s", status, text)
	}
}

// TestBadTasks: a wrong task is refused in a status that says why, and its resources come
// back with the next offer.
func TestBadTasks(t *testing.T) {
	c := startCluster(t)
	s := startStream(t, c, "bad")
	good := s.add("good-before", "true", 0.1, 32)
	s.wait(good, 20e9, ended)
	for _, row := range badTasks() {
		t.Run(row.name, func(t *testing.T) {
			task := row.task
			s.addTask(task)
			st := s.wait(task.TaskID, 20e9, ended)
			if st.State != "TASK_ERROR" || !strings.Contains(strings.ToLower(st.Message), row.says) {
				t.Errorf("got %s %s: %q, which should speak of %q", st.State, st.Reason, st.Message, row.says)
			}
		})
	}
	after := s.add("good-after", "true", 0.1, 32)
	if st := s.wait(after, 20e9, ended); st.State != "TASK_FINISHED" {
		t.Errorf("after all of them: %s %s", st.State, st.Message)
	}
}

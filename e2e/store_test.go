package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// storeLimit is that of the cluster of the store's story, in bytes.
const storeLimit = 100_000

// space calls the store as a framework in any language does.
type space struct {
	c     *cluster
	token string
	more  string // fields of each call
	name  string
}

func (s space) call(kind, content string) (int, string) {
	s.c.t.Helper()
	return postAs(s.c.t, s.c, s.token, "/api/v1/store", "application/json", "", fmt.Appendf(nil, `{"type":%q,"space":%q,%s%q:%s}`, kind, s.name, s.more, strings.ToLower(kind), content))
}

func (s space) put(key string, value []byte) (int, string) {
	s.c.t.Helper()
	return s.call("COMMIT", fmt.Sprintf(`{"then":[{"type":"PUT","key":%q,"value":%q}]}`, key, base64.StdEncoding.EncodeToString(value)))
}

// TestStore: what frameworks keep is closed to other frameworks, and bounded; marathonish
// goes on when its space is full.
func TestStore(t *testing.T) {
	c := newCluster(t, append(booted(), "--resources", "cpus:4;mem:4096;ports:[0-99]")...)
	c.env = append(c.env, fmt.Sprintf("PROFFER_MASTER_STORE_LIMIT=%d", storeLimit))
	c.start()
	m := newMarathon(c)
	m.await()
	t.Run("closed", func(t *testing.T) { closedSpaces(t, c) })
	t.Run("full", func(t *testing.T) { fullStore(t, m) })
}

func closedSpaces(t *testing.T, c *cluster) {
	one, two := space{c, c.tokenOf("one"), "", "state"}, space{c, c.tokenOf("two"), "", "state"}
	if status, text := one.put("secret", []byte("of one")); status != 200 {
		t.Fatalf("a framework's own space: %d %s", status, text)
	}
	value := base64.StdEncoding.EncodeToString([]byte("of one"))
	for who, row := range map[string]struct {
		s    space
		want int
	}{
		"itself":                   {one, 200},
		"itself by name":           {space{c, one.token, `"principal":"one",`, "state"}, 200},
		"another, the same name":   {two, 404},
		"another, by principal":    {space{c, two.token, `"principal":"one",`, "state"}, 403},
		"an operator":              {space{c, c.token(), `"principal":"one",`, "state"}, 200},
		"nobody":                   {space{c, "nonsense", "", "state"}, 401},
		"who wants marathonish's":  {space{c, two.token, `"principal":"marathonish",`, "state"}, 403},
		"who wants init's":         {space{c, two.token, `"principal":"init",`, "state"}, 403},
		"another in a second call": {space{c, two.token, `"principal":"two","principal":"one",`, "state"}, 403},
	} {
		status, text := row.s.call("GET", `{"key":"secret"}`)
		if status != row.want || strings.Contains(text, value) != (row.want == 200) {
			t.Errorf("%s: %d %s, not %d", who, status, text, row.want)
		}
		if status, text := row.s.call("LIST", `{"prefix":""}`); row.want != 200 && strings.Contains(text, value) {
			t.Errorf("%s lists: %d %s", who, status, text)
		}
		if row.want > 400 && row.want != 404 {
			if status, text := row.s.put("secret", []byte("of two")); status != row.want {
				t.Errorf("%s writes: %d %s, not %d", who, status, text, row.want)
			}
		}
	}
	if status, text := one.put("large", make([]byte, 512<<10+1)); status != 429 || !strings.Contains(text, "524289") || !strings.Contains(text, "524288") {
		t.Errorf("a value over 512 KiB: %d %s", status, text)
	}
	if status, text := one.put("half", make([]byte, storeLimit/2)); status != 200 {
		t.Errorf("half of a space: %d %s", status, text)
	}
	if status, text := one.put("more", make([]byte, storeLimit/2)); status != 429 || !strings.Contains(text, fmt.Sprint("limit is ", storeLimit)) || !strings.Contains(text, "100") {
		t.Errorf("a space over its limit: %d %s", status, text)
	}
	if status, text := two.put("half", make([]byte, storeLimit/2)); status != 200 {
		t.Errorf("the space of another is not full: %d %s", status, text)
	}
	if status, text := one.call("COMMIT", `{"then":[{"type":"DELETE","key":"half"}]}`); status != 200 {
		t.Errorf("less in a full space: %d %s", status, text)
	}
	if status, text := one.put("more", make([]byte, storeLimit/2)); status != 200 {
		t.Errorf("what has room again: %d %s", status, text)
	}
}

// fullStore has marathonish told one app too many.
func fullStore(t *testing.T, m *marathon) {
	c := m.c
	app := func(name string, ballast int) map[string]any {
		return map[string]any{"id": "/" + name, "cmd": c.pidWriter(name), "cpus": 0.01, "mem": 16, "backoffSeconds": 0, "portDefinitions": []any{}, "env": map[string]string{"BALLAST": strings.Repeat("x", ballast)}}
	}
	keep := app("keep", 0)
	keep["instances"] = 3
	m.must(http.MethodPost, "/v2/apps", keep, nil)
	eventually(t, 10*time.Second, "the service that is to be kept runs", func() bool { return len(c.lines("keep")) == 3 })
	var made []string
	// To the brim: with two large apps, then with small ones.
	for _, ballast := range []int{20000, 0} {
		for full := false; !full && len(made) < 100; {
			name := fmt.Sprintf("more%d", len(made))
			switch status, text := m.do(http.MethodPost, "/v2/apps", app(name, ballast)); {
			case status == http.StatusCreated:
				made = append(made, name)
			case status == http.StatusInsufficientStorage && strings.Contains(text, fmt.Sprint("the limit is ", storeLimit)):
				full = true
			default:
				t.Fatalf("app %d: %d %s", len(made), status, text)
			}
		}
	}
	t.Logf("%d apps fill the store", len(made))
	if len(made) < 5 || len(made) == 100 {
		t.Fatalf("%d apps have filled the store", len(made))
	}
	again := func(name string) {
		t.Helper()
		pids := c.lines(name)
		if len(pids) == 0 {
			return // its first instance waits for room
		}
		kill9(t, pids[len(pids)-1])
		eventually(t, 15*time.Second, "the instance of "+name+" that was killed while the store is full comes back", func() bool { return len(c.lines(name)) > len(pids) })
	}
	for _, name := range append(slices.Clone(made), "keep", "keep") {
		again(name)
	}
	kill9(t, c.marathonishPID())
	again("keep")
	var a appState
	eventually(t, 10*time.Second, "three instances run", func() bool { a = m.app("/keep"); return a.App.Running == 3 })
	if text := fmt.Sprint(a); strings.Contains(text, "LOST") {
		t.Errorf("%s", text)
	}
	// What is deleted is deleted although that is a change, and then there is room.
	for _, name := range made[:3] {
		if status, text := m.do(http.MethodDelete, "/v2/apps/"+name+"?force=true", nil); status != http.StatusOK {
			t.Errorf("delete while the store is full: %d %s", status, text)
		}
	}
	last := ""
	eventually(t, 10*time.Second, "an app has room again", func() bool {
		status, text := m.do(http.MethodPost, "/v2/apps", app("last", 1000))
		last = text
		return status == http.StatusCreated
	})
	eventually(t, 15*time.Second, "and runs", func() bool { return len(c.lines("last")) == 1 })
	if !json.Valid([]byte(last)) {
		t.Errorf("the answer: %s", last)
	}
}

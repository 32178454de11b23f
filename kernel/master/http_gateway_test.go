package master

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/gateway"
	"github.com/profferhq/proffer/sdk/masters"
)

// web is a framework that serves HTTP behind the gateway of a master.
type web struct {
	*httptest.Server
	stream *opened
	id     sdk.FrameworkID
	read   chan struct{} // closed when the caller has the first event of /stream
}

// seen is what a framework sees of a request.
type seen struct {
	Caller gateway.Caller
	Method string
	URI    string
	Header http.Header
	Body   string
}

// serveWeb subscribes a framework of that name, which checks its callers as sdk/gateway
// does and answers what it saw.
func (r *running) serveWeb(name string) *web {
	r.t.Helper()
	w := &web{read: make(chan struct{})}
	v := gateway.New(masters.Options{Addrs: []string{r.Addr()}, Token: r.operatorToken()}, name+"-principal")
	w.Server = httptest.NewServer(v.Handler(http.HandlerFunc(w.answer)))
	r.t.Cleanup(w.Close)
	w.subscribe(r, name, "")
	return w
}

func (w *web) subscribe(r *running, name string, id sdk.FrameworkID) {
	body := `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"nobody","name":"` + name + `","principal":"` + name + `-principal","failover_timeout":60,"webui_url":"` + w.URL + `"}}}`
	if id != "" {
		body = strings.Replace(strings.Replace(body, `{"user"`, `{"id":{"value":"`+string(id)+`"},"user"`, 1), `"type"`, `"framework_id":{"value":"`+string(id)+`"},"type"`, 1)
	}
	w.stream = r.open("/api/v1/scheduler", r.auth(), []byte(body))
	w.id = w.stream.next().Subscribed.FrameworkID
}

func (f *web) answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/stream":
		w.Header().Set("Content-Type", "text/event-stream")
		rc := http.NewResponseController(w)
		for _, part := range []string{"data: 1\n\n", "data: 2\n\n"} {
			_, _ = io.WriteString(w, part)
			_ = rc.Flush()
			if part == "data: 1\n\n" {
				select {
				case <-f.read:
				case <-r.Context().Done():
				}
			}
		}
		return
	case "/moved":
		http.Redirect(w, r, "/v2/apps?x=1", http.StatusFound)
		return
	case "/teapot":
		w.Header().Set("X-Own", "yes")
		w.Header().Set(masters.HeaderMasters, "evil.example:5050")
		http.Error(w, "short and stout", http.StatusTeapot)
		return
	}
	body, _ := io.ReadAll(r.Body)
	_ = json.NewEncoder(w).Encode(seen{gateway.CallerOf(r.Context()), r.Method, r.RequestURI, r.Header, string(body)})
}

func (r *running) auth(more ...string) http.Header {
	h := jsonHeader(more...)
	if !r.key.IsZero() && h.Get("Authorization") == "" {
		h.Set("Authorization", "Bearer "+r.operatorToken())
	}
	return h
}

func (r *running) look(method, path string, h http.Header, body string) seen {
	r.t.Helper()
	resp, text := r.do(method, path, h, body)
	var s seen
	if err := json.Unmarshal([]byte(text), &s); err != nil || resp.StatusCode != 200 {
		r.t.Fatalf("%s %s: %d %q", method, path, resp.StatusCode, text)
	}
	return s
}

// What reaches a framework is the caller's request, signed, without the credential, and
// without anything that looks like a word of the gateway's.
func TestTheGatewayPassesOnAndSigns(t *testing.T) {
	r := start(t, true)
	r.serveWeb("web")
	forged := r.auth("Proffer-Caller", "x", "proffer_caller", "x", "Proffer-Signature", "x", "Proffer-Hop", "x", "X-Forwarded-For", "9.9.9.9", "X-Mine", "kept")
	for path, want := range map[string]string{
		"/service/web":                      "/",
		"/service/web/":                     "/",
		"/service/web/v2/apps//a?x=1&y=%2F": "/v2/apps//a?x=1&y=%2F",
		"/service/web/v2/apps/%2Fa%20b?a;b": "/v2/apps/%2Fa%20b?a;b",
		"/service/%77eb/ping":               "/ping",
	} {
		s := r.look("PATCH", path, forged.Clone(), "body")
		if s.URI != want || s.Method != "PATCH" || s.Body != "body" || s.Caller != (gateway.Caller{Principal: "operator", Operator: true}) {
			t.Errorf("%s: %+v", path, s)
		}
		for name, values := range s.Header {
			low := strings.ToLower(name)
			if strings.Contains(low, "authorization") || strings.Contains(low, "_caller") || strings.Contains(low, "hop") || len(values) != 1 {
				t.Errorf("%s: the framework sees %s: %q", path, name, values)
			}
		}
		if s.Header.Get("X-Mine") != "kept" || s.Header.Get("X-Forwarded-For") != "127.0.0.1" || s.Header.Get("X-Forwarded-Host") == "" {
			t.Errorf("%s: %v", path, s.Header)
		}
	}
	resp, text := r.do("GET", "/service/web/teapot", r.auth(), "")
	if resp.StatusCode != 418 || resp.Header[masters.HeaderMasters] != nil || resp.Header.Get("X-Own") != "yes" || text != "short and stout\n" {
		t.Errorf("%d %v %q", resp.StatusCode, resp.Header, text)
	}
	if resp, _ := r.do("GET", "/service/web/moved", r.auth(), ""); resp.Header.Get("Location") != "/service/web/v2/apps?x=1" {
		t.Errorf("redirected to %q", resp.Header.Get("Location"))
	}
}

// Whoever comes without the gateway gets nowhere, with or without a credential.
func TestAFrameworkServesNobodyBesideTheGateway(t *testing.T) {
	r := start(t, true)
	w := r.serveWeb("web")
	req, _ := http.NewRequest("GET", w.URL+"/v2/apps", nil)
	req.Header.Set("Authorization", "Bearer "+r.operatorToken())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("%d", resp.StatusCode)
	}
}

func TestServerSentEventsFlowThroughTheGateway(t *testing.T) {
	r := start(t, true)
	f := r.serveWeb("web")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+r.Addr()+"/service/web/stream", nil)
	req.Header.Set("Authorization", "token="+r.operatorToken())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for _, want := range []string{"data: 1\n", "\n", "data: 2\n", "\n"} {
		if got, err := lines.ReadString('\n'); err != nil || got != want {
			t.Fatalf("%q, %v", got, err)
		}
		if want == "data: 1\n" {
			close(f.read)
		}
	}
}

func TestNamesThatNobodyServes(t *testing.T) {
	r := start(t, true)
	check := func(path string, status int, part string) {
		t.Helper()
		resp, text := r.do("GET", path, r.auth(), "")
		var m struct {
			Message string `json:"message"`
		}
		if err := json.Unmarshal([]byte(text), &m); err != nil || resp.StatusCode != status || !strings.Contains(m.Message, part) {
			t.Errorf("%s: %d %q", path, resp.StatusCode, text)
		}
	}
	check("/service", 404, "name a framework")
	check("/service//x", 404, "name a framework")
	check("/service/nobody/x", 404, "no framework is called")
	w := r.serveWeb("web")
	w.Close()
	check("/service/web/", 502, "does not answer")
	w.stream.close()
	r.await(func() bool { _, err := r.leader().doors.find("web"); return err != nil }, "the end of the stream")
	check("/service/web/", 503, "is not subscribed now")
	silent := r.open("/api/v1/scheduler", r.auth(), []byte(subscribeBody()))
	silent.next()
	check("/service/x/", 503, "webui_url")
	r.serveWeb("twice")
	r.serveWeb("twice")
	check("/service/twice/", 409, "2 frameworks")
}

// A published name has a port of its own, which wants credentials like any other, and
// one framework at a time.
func TestAPublishedNameHasOnePortAndOneFramework(t *testing.T) {
	r := start(t, true, func(o *Options) { o.Publish = []string{"0=web"} })
	if resp, text := r.do("GET", "/service/web/", r.auth(), ""); resp.StatusCode != 503 || !strings.Contains(text, "has not subscribed yet") {
		t.Errorf("before it is there: %d %s", resp.StatusCode, text)
	}
	first := r.serveWeb("web")
	port := &running{Master: &Master{listener: r.published[0].listener, host: r.host}, t: t, key: r.key}
	if s := port.look("GET", "/v2/apps?a", r.auth(), ""); s.URI != "/v2/apps?a" || !s.Caller.Operator {
		t.Errorf("%+v", s)
	}
	if resp, text := port.do("GET", "/ping", nil, ""); resp.StatusCode != 401 || !strings.HasPrefix(text, `{"message":`) {
		t.Errorf("without a credential: %d %q", resp.StatusCode, text)
	}
	if resp, _ := port.do("GET", "/ping", r.auth("Host", "evil.example.com"), ""); resp.StatusCode != 403 {
		t.Errorf("by a name that is not ours: %d", resp.StatusCode)
	}
	if resp, _ := port.do("GET", "/moved", r.auth(), ""); resp.Header.Get("Location") != "/v2/apps?x=1" {
		t.Errorf("redirected to %q", resp.Header.Get("Location"))
	}
	second := r.open("/api/v1/scheduler", r.auth(), []byte(strings.Replace(subscribeBody(), `"x"`, `"web"`, 1)))
	if ev := second.next(); ev.Error == nil || !strings.Contains(ev.Error.Message, "--publish") || !strings.Contains(ev.Error.Message, string(first.id)) {
		t.Errorf("a second framework of the name: %+v", ev)
	}
	old := first.stream
	first.subscribe(r, "web", first.id) // the same one may fail over
	if ev := old.next(); ev.Type != sdk.EventError && ev.Type != sdk.EventHeartbeat {
		t.Errorf("%+v", ev)
	}
	if s := port.look("GET", "/x", r.auth(), ""); s.URI != "/x" {
		t.Errorf("%+v", s)
	}
}

// A follower carries a request to the leader, once.
func TestAFollowerCarriesToTheLeader(t *testing.T) {
	first := start(t, true, quick)
	m := follower(t, first)
	m.joins([]*running{first})
	leader, other := first, m
	first.await(func() bool {
		if m.leader() != nil {
			leader, other = m, first
		}
		addr, _ := other.leaderHTTP()
		return leader.leader() != nil && addr == leader.Addr()
	}, "a leader that the follower knows")
	leader.key, other.key = first.key, first.key
	leader.serveWeb("web")
	s := other.look("POST", "/service/web/v2/apps/%2Fx?y", other.auth("Origin", "http://"+other.Addr()), "body")
	if s.URI != "/v2/apps/%2Fx?y" || s.Body != "body" || s.Caller.Principal != "operator" || s.Header.Get("Proffer-Hop") != "" {
		t.Errorf("%+v", s)
	}
	if resp, text := other.do("GET", "/service/web/", other.auth("Proffer-Hop", "1"), ""); resp.StatusCode != 503 {
		t.Errorf("a second hop: %d %q", resp.StatusCode, text)
	}
	if resp, _ := other.do("GET", "/service/web/", nil, ""); resp.StatusCode != 401 {
		t.Errorf("a stranger at a follower: %d", resp.StatusCode)
	}
}

// Without credentials nothing is signed, and everybody is an operator; a framework that
// leads back to the master ends somewhere.
func TestTheGatewayOfAnInsecureCluster(t *testing.T) {
	r := start(t, false)
	r.serveWeb("web")
	if s := r.look("GET", "/service/web/", nil, ""); !s.Caller.Operator || s.Header.Get(gateway.HeaderSignature) != "" {
		t.Errorf("%+v", s)
	}
	loop := &web{Server: httptest.NewServer(nil)}
	loop.Close()
	loop.URL = "http://" + r.Addr() + "/service/loop"
	loop.subscribe(r, "loop", "")
	if resp, text := r.do("GET", "/service/loop/x", nil, ""); resp.StatusCode != 400 || !strings.Contains(text, "circle") {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
}

func TestTheKeyIsForItsOwnFrameworkOnly(t *testing.T) {
	r := start(t, true)
	key := func(query string) gateway.Key {
		resp, text := r.do("GET", gateway.Path+query, r.auth(), "")
		var k gateway.Key
		if err := json.Unmarshal([]byte(text), &k); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: %d %q", query, resp.StatusCode, text)
		}
		return k
	}
	if a, b := key("?audience=a"), key("?audience=b"); a.Key == b.Key || a.Key == "" || a.Insecure {
		t.Errorf("%+v %+v", a, b)
	}
	if resp, text := r.do("GET", gateway.Path, r.auth(), ""); resp.StatusCode != 400 || !strings.Contains(text, "audience") {
		t.Errorf("an operator that names nobody: %d %q", resp.StatusCode, text)
	}
}

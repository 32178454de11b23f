package master

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// P19: a request without a credential changes or reads nothing but health, over
// all routes, methods and spellings.
func TestWithoutACredentialOnlyHealthAnswers(t *testing.T) {
	r := start(t, true)
	stranger := credential.NewKey().Sign(credential.Claims{Kind: credential.KindOperator, Principal: "operator"})
	wrong := map[string]http.Header{
		"none":            {},
		"bearer garbage":  {"Authorization": {"Bearer garbage"}},
		"bearer empty":    {"Authorization": {"Bearer "}},
		"another key":     {"Authorization": {"Bearer " + stranger}},
		"basic garbage":   {"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("operator:secret"))}},
		"token as name":   {"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(r.operatorToken()+":"))}},
		"digest":          {"Authorization": {"Digest username=x"}},
		"twice":           {"Authorization": {"Bearer " + r.operatorToken(), "Bearer " + stranger}},
		"cut off":         {"Authorization": {"Bearer " + r.operatorToken()[:40]}},
		"one bit changed": {"Authorization": {"Bearer " + r.operatorToken()[:len(r.operatorToken())-3] + "AAA"}},
	}
	for name, header := range wrong {
		for _, route := range append(Routes(), Route{Path: "/nowhere"}, Route{Path: "/api/v2"}, Route{Path: "/"}, Route{Path: "/debug/pprof"}) {
			for _, path := range []string{route.Path, "/master" + route.Path, route.Path + "/"} {
				for _, method := range []string{"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
					h := header.Clone()
					h.Set("Content-Type", "application/json")
					resp, text := r.do(method, path, h, `{"type":"GET_STATE"}`)
					if route.Permission == open && (resp.StatusCode == 200 || resp.StatusCode == 405) {
						continue
					}
					if resp.StatusCode != 401 {
						t.Errorf("%s: %s %s answered %d %q", name, method, path, resp.StatusCode, text)
					}
					if !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), `Basic realm="mesos-master-`) {
						t.Errorf("%s: %s %s has WWW-Authenticate %q", name, method, path, resp.Header.Get("WWW-Authenticate"))
					}
					if strings.Contains(text, stranger[10:30]) {
						t.Errorf("%s: the answer repeats the token", name)
					}
				}
			}
		}
	}
	if resp, text := r.do("GET", "/health", nil, ""); resp.StatusCode != 200 || text != "" {
		t.Errorf("/health without a credential: %d %q", resp.StatusCode, text)
	}
}

// Every kind of token may use exactly what the table says, everything else is 403.
func TestEachKindOfTokenHasItsRoutes(t *testing.T) {
	r := start(t, true)
	may := map[credential.Kind][]permission{
		credential.KindOperator:  {open, known, schedulers, operators, admins},
		credential.KindAgent:     {open, known, agents},
		credential.KindMaster:    {open, known, operators},
		credential.KindFramework: {open, known, schedulers},
		credential.KindExecutor:  {open},
		credential.KindReader:    {open},
	}
	for kind, permissions := range may {
		token := r.key.Sign(credential.Claims{Kind: kind, Principal: "p", TaskID: "t", FrameworkID: "f", ExecutorID: "e"})
		for _, route := range Routes() {
			ok := false
			for _, p := range permissions {
				ok = ok || p == route.Permission
			}
			for _, h := range []http.Header{
				{"Authorization": {"Bearer " + token}},
				{"Authorization": {"bearer " + token}},
				{"Authorization": {"token=" + token}},
				{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("anybody:"+token))}},
			} {
				h.Set("Content-Type", "application/json")
				method := route.Method
				if method == anyMethod {
					method = http.MethodGet
				}
				resp, text := r.do(method, route.Path, h, "{nope")
				refused := (resp.StatusCode == 403 || resp.StatusCode == 401) && !strings.Contains(text, "has ended")
				if refused == ok {
					t.Errorf("%s token on %s: %d %q, allowed: %v", kind, route.Path, resp.StatusCode, text, ok)
				}
			}
		}
	}
}

// A framework's token is worth nothing once its task is not there (P20), and its
// principal is the only one it can be.
func TestTokenOfAFrameworkNeedsItsTask(t *testing.T) {
	r := start(t, true)
	token := r.key.Sign(credential.Claims{Kind: credential.KindFramework, Principal: "marathonish", FrameworkID: "no-such", TaskID: "ended"})
	resp, text := r.do("POST", "/api/v1/scheduler", jsonHeader("Authorization", "Bearer "+token),
		`{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"nobody","name":"x"}}}`)
	if resp.StatusCode != 401 || !strings.Contains(text, "has ended") {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
}

// The token of a framework in a task works while the task lives, as its own
// principal only; then its stream ends and it is worth nothing.
func TestTokenOfAFrameworkLivesAsLongAsItsTask(t *testing.T) {
	r := start(t, true)
	agent := r.registerAgent("host1", "cpus:4;mem:1024")
	init := r.open("/api/v1/scheduler", jsonHeader("Authorization", "Bearer "+r.operatorToken()), []byte(subscribeBody()))
	id := init.next().Subscribed.FrameworkID
	offer := init.nextOf(sdk.EventOffers).Offers.Offers[0]
	post := func(token, body string, more ...string) (int, string) {
		resp, text := r.do("POST", "/api/v1/scheduler", jsonHeader(append(more, "Authorization", "Bearer "+token)...), body)
		return resp.StatusCode, text
	}
	accept := `{"type":"ACCEPT","framework_id":{"value":"` + string(id) + `"},"accept":{"offer_ids":[{"value":"` + string(offer.ID) + `"}],"operations":[{"type":"LAUNCH","launch":{"task_infos":[
		{"name":"svc","task_id":{"value":"svc.1"},"agent_id":{"value":"` + string(agent.id) + `"},"command":{"value":"exit 0"},"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":1}},{"name":"mem","type":"SCALAR","scalar":{"value":32}}]}]}}]}}`
	if status, text := post(r.operatorToken(), accept, "Mesos-Stream-Id", init.resp.Header.Get("Mesos-Stream-Id")); status != 202 {
		t.Fatalf("ACCEPT: %d %q", status, text)
	}
	if ev := agent.nextLink(); ev.Type != link.EventRun {
		t.Fatalf("agent got %+v", ev)
	}
	token := r.key.Sign(credential.Claims{Kind: credential.KindFramework, Principal: "svc", FrameworkID: id, TaskID: "svc.1", AgentID: agent.id})
	other := strings.Replace(subscribeBody(), `"name"`, `"principal":"operator","name"`, 1)
	if status, text := post(token, other); status != 400 || !strings.Contains(text, "does not match principal") {
		t.Errorf("as another principal: %d %q", status, text)
	}
	inner := r.open("/api/v1/scheduler", jsonHeader("Authorization", "Bearer "+token), []byte(subscribeBody()))
	own := inner.next().Subscribed.FrameworkID
	revive := `{"type":"REVIVE","framework_id":{"value":"` + string(own) + `"}}`
	stream := inner.resp.Header.Get("Mesos-Stream-Id")
	if status, text := post(token, revive, "Mesos-Stream-Id", stream); status != 202 {
		t.Errorf("while the task lives: %d %q", status, text)
	}
	if status, text := post(token, `{"type":"REVIVE","framework_id":{"value":"`+string(id)+`"}}`, "Mesos-Stream-Id", init.resp.Header.Get("Mesos-Stream-Id")); status < 400 {
		t.Errorf("on another principal's framework: %d %q", status, text)
	}
	agent.post(link.Call{Type: link.CallUpdate, Update: &link.Update{FrameworkID: id, Status: sdk.TaskStatus{
		TaskID: "svc.1", State: sdk.TaskFailed, AgentID: agent.id, UUID: []byte("0123456789abcdef"), Source: sdk.SourceExecutor, Timestamp: 1}}})
	for {
		if _, err := inner.records.Next(); err != nil {
			break
		}
	}
	if status, text := post(token, revive, "Mesos-Stream-Id", stream); status != 401 || !strings.Contains(text, "has ended") {
		t.Errorf("after the task's end: %d %q", status, text)
	}
}

func TestPrincipalIsFilledInAndAnOperatorMayBeAnyFramework(t *testing.T) {
	r := start(t, true)
	for principal, want := range map[string]string{"": "operator", "batch": "batch"} {
		info := `{"user":"nobody","name":"x"}`
		if principal != "" {
			info = `{"user":"nobody","name":"x","principal":"` + principal + `"}`
		}
		s := r.open("/api/v1/scheduler", jsonHeader("Authorization", "Bearer "+r.operatorToken()), []byte(`{"type":"SUBSCRIBE","subscribe":{"framework_info":`+info+`}}`))
		if ev := s.next(); ev.Type != sdk.EventSubscribed {
			t.Fatalf("got %+v", ev)
		}
		found := false
		l := r.leader()
		state := l.view.state()
		for _, f := range state.GetFrameworks.Frameworks {
			found = found || f.FrameworkInfo.Principal == want
		}
		if !found {
			t.Errorf("no framework with the principal %q in %+v", want, state.GetFrameworks)
		}
	}
}

// A web page of a stranger reaches nothing, whether it uses a name of its own
// that points here or says who it is; with and without credentials asked for.
func TestWebPagesOfStrangersAreRefused(t *testing.T) {
	for _, secure := range []bool{true, false} {
		r := start(t, secure, func(o *Options) { o.Names = []string{"master.example.org"} })
		auth := func(more ...string) http.Header {
			h := http.Header{}
			if secure {
				h.Set("Authorization", "Bearer "+r.operatorToken())
			}
			for i := 0; i+1 < len(more); i += 2 {
				h.Set(more[i], more[i+1])
			}
			return h
		}
		port := r.Addr()[strings.LastIndexByte(r.Addr(), ':'):]
		for _, c := range []struct {
			header http.Header
			status int
		}{
			{auth(), 200},
			{auth("Host", "localhost"+port), 200},
			{auth("Host", "LOCALHOST"+port), 200},
			{auth("Host", "[::1]"+port), 200},
			{auth("Host", "10.1.2.3"), 200},
			{auth("Host", "master.example.org"+port), 200},
			{auth("Host", "evil.example.com"+port), 403},
			{auth("Host", "localhost.evil.example.com"), 403},
			{auth("Host", "127.0.0.1.evil.example.com"+port), 403},
			{auth("Origin", "http://"+r.Addr()), 200},
			{auth("Origin", "http://evil.example.com"), 403},
			{auth("Origin", "http://127.0.0.1:1"), 403},
			{auth("Origin", "null"), 403},
			{auth("Origin", "file://"), 403},
		} {
			for _, path := range []string{"/version", "/health"} {
				if resp, text := r.do("GET", path, c.header, ""); resp.StatusCode != c.status {
					t.Errorf("secure %v: %s with %v answered %d %q, want %d", secure, path, c.header, resp.StatusCode, text, c.status)
				}
			}
		}
	}
}

// A master proves to whoever asks that it holds the key, without showing it.
func TestMasterProvesItself(t *testing.T) {
	r := start(t, true)
	h := http.Header{"Authorization": {"Bearer " + r.operatorToken()}, credential.HeaderChallenge: {"random text"}}
	resp, _ := r.do("GET", "/version", h, "")
	if resp.Header.Get(credential.HeaderProof) != r.key.LinkProof("random text") {
		t.Error("the proof is missing or wrong")
	}
}

// Our own clients get refusals as messages, with code and field.
func TestRefusalsAreMessagesForOwnClients(t *testing.T) {
	r := start(t, false)
	body, err := wire.Marshal(wire.Msgpack, &sdk.Call{Type: sdk.CallKill, FrameworkID: "f"})
	if err != nil {
		t.Fatal(err)
	}
	resp, text := r.do("POST", "/api/v1/scheduler", http.Header{"Content-Type": {wire.ContentTypeMsgpack}, "Accept": {wire.ContentTypeMsgpack}}, string(body))
	var e sdk.Error
	if err := wire.Unmarshal(wire.Msgpack, []byte(text), &e); err != nil || resp.StatusCode != 400 || e.Code != sdk.CodeInvalid || e.Message == "" {
		t.Errorf("%d %+v %v", resp.StatusCode, e, err)
	}
}

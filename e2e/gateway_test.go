package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/gateway"
	"github.com/profferhq/proffer/sdk/operator"
)

// askWith asks with headers and gives status and text.
func askWith(t *testing.T, url string, header http.Header) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header.Clone()
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

// webUI is the address that a framework has told.
func (c *cluster) webUI(name string) string {
	c.t.Helper()
	o := operator.DefaultOptions()
	o.Addrs, o.Token = []string{c.addr()}, c.token()
	op, err := operator.New(o)
	if err != nil {
		c.t.Fatal(err)
	}
	defer op.Close()
	all, err := op.Frameworks(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range all.Frameworks {
		if f.FrameworkInfo.Name == name {
			return f.FrameworkInfo.WebUIURL
		}
	}
	c.t.Fatalf("no framework is called %s", name)
	return ""
}

// tokenOf starts a task that is a framework of that principal, and gives the token that it
// got. The task lives as long as the cluster.
func (c *cluster) tokenOf(principal string) string {
	c.t.Helper()
	name := filepath.Join(c.truth, "token-"+principal)
	c.run("run", "--detach", "--framework", principal, "--mem", "32", "--", "sh", "-c", "umask 077; cp $PROFFER_TOKEN_FILE "+name+".new; mv "+name+".new "+name+"; exec sleep 1000")
	eventually(c.t, 10*time.Second, "the framework of "+principal+" tells its token", func() bool { return read(c.t, name) != "" })
	return strings.TrimSpace(read(c.t, name))
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// eavesdrop is a framework of the test that hears how the gateway signs, and gives the
// headers of one request of the operator's.
func eavesdrop(t *testing.T, c *cluster, path string) http.Header {
	t.Helper()
	heard := make(chan http.Header, 1)
	ear := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.Header.Clone() }))
	t.Cleanup(ear.Close)
	o := framework.DefaultOptions("ear")
	o.Addrs, o.Token, o.Info.Principal, o.Info.WebUIURL = []string{c.addr()}, c.token(), "ear", ear.URL
	f, err := framework.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan bool)
	go func() { defer close(over); _ = f.Run(ctx, framework.Handlers{}.Handle) }()
	t.Cleanup(func() { cancel(); <-over })
	eventually(t, 10*time.Second, "the gateway reaches a framework of the test", func() bool {
		status, _ := askWith(t, "http://"+c.addr()+"/service/ear"+path, bearer(c.token()))
		return status == http.StatusOK
	})
	return <-heard
}

// TestGateway: marathonish is reached with the kernel's credentials, by both doors, and by
// nothing else.
func TestGateway(t *testing.T) {
	c := startCluster(t, append(booted(), "--resources", "cpus:2;mem:1024;ports:[0-99]", "--publish", "8080=marathonish")...)
	m := newMarathon(c)
	m.await()
	t.Run("credentials", func(t *testing.T) { credentialsAtTheGateway(t, c) })
	t.Run("bad input", func(t *testing.T) { badApps(t, m) })
	t.Run("two writers", func(t *testing.T) { twoWriters(t, m) })
	t.Run("client", func(t *testing.T) { badDeploys(t, m) })
}

func credentialsAtTheGateway(t *testing.T, c *cluster) {
	other := c.tokenOf("other")
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("anyone:"+c.token()))
	forged := http.Header{}
	who, signature := gateway.Sign([]byte("not the key"), gateway.Statement{Audience: "marathonish", Principal: "operator", Operator: true, Time: time.Now().Unix()}, "GET", "/v2/apps")
	forged.Set(gateway.HeaderCaller, who)
	forged.Set(gateway.HeaderSignature, signature)
	forgedBy := func(token string) http.Header {
		h := bearer(token)
		for name, values := range forged {
			h[name], h[strings.ReplaceAll(name, "-", "_")] = values, values
		}
		return h
	}
	door, own := fmt.Sprintf("http://127.0.0.1:%d", 8080+c.offset), c.webUI("marathonish")
	for _, row := range []struct {
		who    string
		header http.Header
		want   int // at both doors
		direct int // at marathonish's own port
	}{
		{"nobody", nil, 401, 401},
		{"Bearer", bearer(c.token()), 200, 401},
		{"Basic", http.Header{"Authorization": {basic}}, 200, 401},
		{"token=", http.Header{"Authorization": {"token=" + c.token()}}, 200, 401},
		{"another's token", bearer("nonsense"), 401, 401},
		{"a forged Proffer-Caller", forged, 401, 401},
		{"a framework", bearer(other), 403, 401},
		{"a framework with a forged Proffer-Caller", forgedBy(other), 403, 401},
		{"an operator with a forged Proffer-Caller", forgedBy(c.token()), 200, 401},
		{"what the gateway signs for another framework", eavesdrop(t, c, "/v2/apps"), 401, 401},
	} {
		for base, want := range map[string]int{"http://" + c.addr() + "/service/marathonish": row.want, door: row.want, own: row.direct} {
			status, text := askWith(t, base+"/v2/apps", row.header)
			if status != want || want >= 400 && !strings.Contains(text, `"message":"`) {
				t.Errorf("%s at %s: %d %s, not %d", row.who, base, status, text, want)
			}
		}
	}
	for _, path := range []string{"/ping", "/health", "/metrics", "/"} {
		for _, base := range []string{"http://" + c.addr() + "/service/marathonish", door, own} {
			if status, text := askWith(t, base+path, nil); status != 401 {
				t.Errorf("nobody at %s%s: %d %s", base, path, status, text)
			}
		}
	}
	// A web page of a stranger has the browser's address, and no more.
	for name, value := range map[string]string{"Host": "evil.example", "Origin": "http://evil.example"} {
		header := bearer(c.token())
		header.Set(name, value)
		for _, base := range []string{"http://" + c.addr() + "/service/marathonish", door} {
			if status := get(t, base+"/v2/apps", header); status != 403 {
				t.Errorf("%s of a stranger at %s: %d", name, base, status)
			}
		}
	}
	// The framework's token is no way to the key that marathonish's callers are signed with.
	if status, text := askWith(t, "http://"+c.addr()+gateway.Path+"?audience=marathonish", bearer(other)); status != 403 {
		t.Errorf("the gateway's key of another principal: %d %s", status, text)
	}
	for who, token := range map[string]string{"a framework": other, "an operator": c.token()} {
		status, text := postAs(t, c, token, "/api/v1/scheduler", "application/json", "",
			[]byte(`{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"","name":"marathonish","roles":["*"],"capabilities":[{"type":"MULTI_ROLE"}]}}}`))
		if !strings.Contains(text, "The name 'marathonish' is published by the masters") || !strings.Contains(text, string(sdk.EventError)) {
			t.Errorf("%s that calls itself marathonish: %d %s", who, status, text)
		}
	}
}

package masters_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/sdktest"
)

func newClient(t *testing.T, net *sdktest.Memory, o masters.Options) *masters.Client {
	t.Helper()
	o.Transport = net
	c, err := masters.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ask(t *testing.T, c *masters.Client, only string) (string, error) {
	t.Helper()
	resp, err := c.Do(t.Context(), masters.Request{Op: "ask", Method: http.MethodPost, Path: "/api/v1?x=1", Body: []byte("question"), Only: only})
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// echo answers with what it was asked, and by whom.
func echo(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, strings.Join([]string{name, r.URL.RequestURI(), string(body), r.Header.Get("Authorization")}, " "))
	}
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", to+r.URL.RequestURI())
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

func TestTheBodyFollowsTheRedirectAndTheLeaderIsRemembered(t *testing.T) {
	net := &sdktest.Memory{}
	net.Serve("a:1", redirect("//b:1/master"))
	net.Serve("b:1", echo("b"))
	c := newClient(t, net, masters.Options{Addrs: []string{"a:1"}, Token: "t"})
	if got, err := ask(t, c, ""); err != nil || got != "b /master/api/v1?x=1 question Bearer t" {
		t.Errorf("got %q, %v", got, err)
	}
	net.Serve("a:1", nil) // the follower dies; the leader is asked at once
	if got, err := ask(t, c, ""); err != nil || !strings.HasPrefix(got, "b ") {
		t.Errorf("got %q, %v", got, err)
	}
	net.Serve("b:1", nil) // and is not believed in for ever
	net.Serve("a:1", echo("a"))
	if got, err := ask(t, c, ""); err != nil || !strings.HasPrefix(got, "a ") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestRedirectsInACircleEnd(t *testing.T) {
	net := &sdktest.Memory{}
	net.Serve("a:1", redirect("//b:1"))
	net.Serve("b:1", redirect("//a:1"))
	_, err := ask(t, newClient(t, net, masters.Options{Addrs: []string{"a:1", "b:1"}}), "")
	if sdk.CodeOf(err) != sdk.CodeUnavailable || masters.IsUnreachable(err) {
		t.Errorf("err = %v", err)
	}
}

func TestAMasterWithoutALeaderIsPassedOver(t *testing.T) {
	net := &sdktest.Memory{}
	net.Serve("a:1", func() http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "No leader elected", http.StatusServiceUnavailable)
		}
	}())
	net.Serve("b:1", echo("b"))
	if got, err := ask(t, newClient(t, net, masters.Options{Addrs: []string{"a:1", "b:1"}}), ""); err != nil || !strings.HasPrefix(got, "b ") {
		t.Errorf("got %q, %v", got, err)
	}
	_, err := ask(t, newClient(t, net, masters.Options{Addrs: []string{"a:1", "c:1"}}), "")
	if sdk.CodeOf(err) != sdk.CodeUnavailable || masters.IsUnreachable(err) {
		t.Errorf("one master that waits for a leader is not an unreachable cluster: %v", err)
	}
}

func TestOnlyMeansOnly(t *testing.T) {
	net := &sdktest.Memory{}
	net.Serve("a:1", redirect("//b:1"))
	net.Serve("b:1", echo("b"))
	c := newClient(t, net, masters.Options{Addrs: []string{"b:1"}})
	if _, err := ask(t, c, "http://a:1"); sdk.CodeOf(err) != sdk.CodeUnavailable || !strings.Contains(err.Error(), "does not lead any more") {
		t.Errorf("err = %v", err)
	}
}

func TestTheTokenFileIsReadAnew(t *testing.T) {
	net := &sdktest.Memory{}
	net.Serve("a:1", echo("a"))
	file := filepath.Join(t.TempDir(), "token")
	c := newClient(t, net, masters.Options{Addrs: []string{"a:1"}, TokenFile: file})
	if _, err := ask(t, c, ""); sdk.CodeOf(err) != sdk.CodeUnauthenticated || !strings.Contains(err.Error(), file) {
		t.Errorf("without the file: %v", err)
	}
	for _, token := range []string{"one", "two"} {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ask(t, c, ""); err != nil || !strings.HasSuffix(got, "Bearer "+token) {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, addrs := range [][]string{nil, {""}, {"ftp://a:1"}, {"http://"}} {
		if _, err := masters.New(masters.Options{Addrs: addrs}); sdk.CodeOf(err) != sdk.CodeInvalid {
			t.Errorf("%q: %v", addrs, err)
		}
	}
	t.Setenv("PROFFER_ADDR", " a:1, ,b:2,")
	if got := masters.FromEnv().Addrs; len(got) != 2 || got[1] != "b:2" {
		t.Errorf("FromEnv = %q", got)
	}
}

package gateway

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
)

// at is the clock of these tests.
func at() time.Time { return time.Unix(1_700_000_000, 0) }

// signed is a request as the gateway would pass it on.
func signed(key []byte, s Statement, method, uri string) *http.Request {
	r := httptest.NewRequest(method, uri, nil)
	caller, sig := Sign(key, s, method, uri)
	r.Header.Set(HeaderCaller, caller)
	r.Header.Set(HeaderSignature, sig)
	return r
}

func fixed() []byte { return []byte("0123456789abcdef0123456789abcdef") }

func good() Statement {
	return Statement{Audience: "web", Principal: "älice", Operator: true, Time: at().Unix()}
}

func TestASignedRequestTellsItsCaller(t *testing.T) {
	for _, uri := range []string{"/", "/v2/apps//x?a=1&b=%2F", "/v2/apps/%2Fweb", "/?"} {
		got, err := Verify(fixed(), "web", signed(fixed(), good(), "PUT", uri), at())
		if err != nil || got != good() {
			t.Errorf("%s: %+v, %v", uri, got, err)
		}
	}
}

// Whatever is changed on the way is refused.
func TestWhatTheGatewayDidNotSignIsRefused(t *testing.T) {
	other := good()
	other.Audience = "another"
	for name, change := range map[string]func(r *http.Request) *http.Request{
		"unsigned":         func(*http.Request) *http.Request { return httptest.NewRequest("GET", "/v2/apps", nil) },
		"no caller":        func(r *http.Request) *http.Request { r.Header.Del(HeaderCaller); return r },
		"no signature":     func(r *http.Request) *http.Request { r.Header.Del(HeaderSignature); return r },
		"method":           func(r *http.Request) *http.Request { r.Method = "DELETE"; return r },
		"path":             func(r *http.Request) *http.Request { r.RequestURI = "/v2/apps/web"; return r },
		"query":            func(r *http.Request) *http.Request { r.RequestURI = "/v2/apps?force=true"; return r },
		"another key":      func(*http.Request) *http.Request { return signed([]byte("x"), good(), "GET", "/v2/apps") },
		"another audience": func(*http.Request) *http.Request { return signed(fixed(), other, "GET", "/v2/apps") },
		"two callers":      func(r *http.Request) *http.Request { r.Header.Add(HeaderCaller, r.Header.Get(HeaderCaller)); return r },
		"no base64":        func(r *http.Request) *http.Request { r.Header.Set(HeaderSignature, "!"); return r },
		"too large": func(r *http.Request) *http.Request {
			r.Header.Set(HeaderCaller, strings.Repeat("A", maxHeader+1))
			return r
		},
		"another caller": func(r *http.Request) *http.Request {
			body, _ := json.Marshal(Statement{Audience: "web", Principal: "root", Operator: true, Time: at().Unix()})
			r.Header.Set(HeaderCaller, base64.RawURLEncoding.EncodeToString(body))
			return r
		},
	} {
		r := change(signed(fixed(), good(), "GET", "/v2/apps"))
		if _, err := Verify(fixed(), "web", r, at()); sdk.CodeOf(err) != sdk.CodeUnauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASignatureHoldsForAMinute(t *testing.T) {
	for skew, ok := range map[time.Duration]bool{0: true, MaxAge: true, -MaxAge: true, MaxAge + time.Second: false, -MaxAge - time.Second: false, 24 * time.Hour: false} {
		_, err := Verify(fixed(), "web", signed(fixed(), good(), "GET", "/"), at().Add(skew))
		if (err == nil) != ok {
			t.Errorf("after %s: %v", skew, err)
		}
	}
}

// kernel is a master that hands out keys.
type kernel struct {
	*httptest.Server
	key   atomic.Pointer[Key]
	asked atomic.Int64
}

func newKernel(t *testing.T, key *Key) *kernel {
	k := &kernel{}
	k.key.Store(key)
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.asked.Add(1)
		key := k.key.Load()
		if key == nil {
			http.Error(w, "No leader elected", http.StatusServiceUnavailable)
			return
		}
		if r.URL.Query().Get("audience") != "web" || r.Header.Get("Authorization") != "Bearer t" {
			t.Errorf("asked for %s with %q", r.URL, r.Header.Get("Authorization"))
		}
		_ = json.NewEncoder(w).Encode(key)
	}))
	t.Cleanup(k.Close)
	return k
}

func keyOf(raw []byte) *Key {
	return &Key{Audience: "web", Key: base64.RawURLEncoding.EncodeToString(raw)}
}

func (k *kernel) verifier(now *time.Time) *Verifier {
	v := New(masters.Options{Addrs: []string{k.URL}, Token: "t"}, "web")
	v.now = func() time.Time { return *now }
	return v
}

func serve(v *Verifier, r *http.Request) (int, string) {
	w := httptest.NewRecorder()
	v.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := CallerOf(r.Context())
		_ = json.NewEncoder(w).Encode(c)
	})).ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestTheKeyIsFetchedOnceAndAgainAfterABadSignature(t *testing.T) {
	k := newKernel(t, keyOf(fixed()))
	now := at()
	v := k.verifier(&now)
	for range 3 {
		if code, body := serve(v, signed(fixed(), good(), "GET", "/")); code != 200 || !strings.Contains(body, `"Principal":"älice","Operator":true`) {
			t.Fatalf("%d %s", code, body)
		}
	}
	if n := k.asked.Load(); n != 1 {
		t.Errorf("the key was fetched %d times", n)
	}
	next := []byte("another key, of another cluster.")
	k.key.Store(keyOf(next))
	for range 5 { // within the second nobody is asked
		if code, body := serve(v, signed(next, good(), "GET", "/")); code != 401 || !strings.Contains(body, `{"message":`) {
			t.Errorf("%d %s", code, body)
		}
	}
	if n := k.asked.Load(); n != 1 {
		t.Errorf("a stranger made it ask %d times", n)
	}
	now = now.Add(askEvery)
	if code, body := serve(v, signed(next, good(), "GET", "/")); code != 200 {
		t.Errorf("%d %s", code, body)
	}
	now = now.Add(askEvery)
	if code, _ := serve(v, httptest.NewRequest("GET", "/", nil)); code != 401 || k.asked.Load() != 2 {
		t.Errorf("unsigned: %d, asked %d times", code, k.asked.Load())
	}
}

func TestOnAnInsecureClusterEverybodyIsAnOperator(t *testing.T) {
	now := at()
	v := newKernel(t, &Key{Insecure: true}).verifier(&now)
	if code, body := serve(v, httptest.NewRequest("GET", "/", nil)); code != 200 || !strings.Contains(body, `"Operator":true`) {
		t.Errorf("%d %s", code, body)
	}
}

func TestWithoutAMasterTheAnswerIs503AndLaterRight(t *testing.T) {
	k := newKernel(t, nil)
	now := at()
	v := k.verifier(&now)
	if code, body := serve(v, signed(fixed(), good(), "GET", "/")); code != 503 || !strings.Contains(body, "No leader elected") {
		t.Errorf("%d %s", code, body)
	}
	k.key.Store(keyOf(fixed()))
	now = now.Add(askEvery)
	if code, body := serve(v, signed(fixed(), good(), "GET", "/")); code != 200 {
		t.Errorf("%d %s", code, body)
	}
}

func FuzzVerify(f *testing.F) {
	caller, sig := Sign(fixed(), good(), "GET", "/")
	f.Add(caller, sig)
	f.Add("", "")
	f.Fuzz(func(t *testing.T, caller, sig string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header[HeaderCaller], r.Header[HeaderSignature] = []string{caller}, []string{sig}
		if s, err := Verify(fixed(), "web", r, at()); err == nil {
			if again, _ := Sign(fixed(), s, "GET", "/"); s.Audience != "web" || (again != caller && s != good()) {
				t.Errorf("accepted %q %q", caller, sig)
			}
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add([]byte(`{"audience":"web","key":"MDEyMzQ1Njc4OWFiY2RlZg"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if key, raw, err := parseKey(body, "web"); err == nil && !key.Insecure && len(raw) < 16 {
			t.Errorf("%q is a key of %d bytes", body, len(raw))
		}
	})
}

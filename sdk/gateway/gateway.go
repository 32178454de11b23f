package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
)

// Caller is who a request comes from.
type Caller struct {
	Principal string
	Operator  bool // may act as any principal; everybody is on an insecure cluster
}

// Verifier checks that requests came through the gateway.
type Verifier struct {
	opts     masters.Options
	audience string
	now      func() time.Time

	mu     sync.Mutex
	client *masters.Client
	key    *Key
	raw    []byte    // of key
	asked  time.Time // when the masters were last asked
	err    error     // of that
}

const (
	// askEvery is how often the key is fetched at most: a stranger's bad signature asks
	// the masters once a second, not once a request.
	askEvery = time.Second
	// askTimeout bounds one fetch, and with it how long a request waits for the key.
	askTimeout = 10 * time.Second
	// maxKey bounds the answer, in bytes.
	maxKey = 64 << 10
)

// New makes a verifier for the framework of that principal. It does not connect yet: the
// key is fetched with the first request, over o, and again after a bad signature.
func New(o masters.Options, audience string) *Verifier {
	return &Verifier{opts: o, audience: audience, now: time.Now}
}

type callerKey struct{}

// CallerOf is who the request of that context comes from; nobody outside of a Handler.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// WithCaller is a context as a Handler makes it, for tests of what is behind one.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// Handler lets signed requests through to next, which finds the caller by CallerOf. All
// others are answered 401, and 503 while no master tells the key; both with a JSON
// object {"message": …}.
func (v *Verifier) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := v.check(r)
		if err != nil {
			status := sdk.CodeOf(err).HTTPStatus()
			if status != http.StatusUnauthorized {
				status = http.StatusServiceUnavailable
				w.Header().Set("Retry-After", "1")
			}
			body, _ := json.Marshal(struct { // a string always encodes
				Message string `json:"message"`
			}{err.Error()})
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write(body) // the caller may be gone
			return
		}
		next.ServeHTTP(w, r.WithContext(WithCaller(r.Context(), who)))
	})
}

// Operators lets only operators through to next, behind a Handler. All others are
// answered 403, with a sentence that says what they may not read.
func Operators(what string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !CallerOf(r.Context()).Operator {
			http.Error(w, "Only operators may read "+what+".", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// check tells who the request comes from. A bad signature may mean that the cluster's
// key is another one since: then the key is fetched anew.
func (v *Verifier) check(r *http.Request) (Caller, error) {
	key, raw, err := v.current(r.Context(), false)
	if err != nil {
		return Caller{}, err
	}
	who, err := v.verify(key, raw, r)
	var bad errSignature
	if err == nil || !errors.As(err, &bad) {
		return who, err
	}
	again, raw, ferr := v.current(r.Context(), true)
	if ferr != nil || again == key {
		return Caller{}, err
	}
	return v.verify(again, raw, r)
}

func (v *Verifier) verify(key *Key, raw []byte, r *http.Request) (Caller, error) {
	if key.Insecure {
		return Caller{Operator: true}, nil
	}
	s, err := Verify(raw, v.audience, r, v.now())
	return Caller{Principal: s.Principal, Operator: s.Operator}, err
}

// current is the key, fetched where there is none yet, or where fresh is wanted and the
// last fetch is a second ago. Requests wait for each other's fetch.
func (v *Verifier) current(ctx context.Context, fresh bool) (*Key, []byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.key != nil && !fresh {
		return v.key, v.raw, nil
	}
	if now := v.now(); v.asked.IsZero() || now.Sub(v.asked) >= askEvery {
		v.asked = now
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout) // others wait for it too
		defer cancel()
		key, raw, err := v.fetch(ctx)
		if v.err = err; err == nil && (v.key == nil || *key != *v.key) {
			v.key, v.raw = key, raw
		}
	}
	if v.key == nil {
		return nil, nil, sdk.Errorf(sdk.CodeUnavailable, "", "callers can not be checked: no master has told the key yet: %v", v.err)
	}
	return v.key, v.raw, nil
}

func (v *Verifier) fetch(ctx context.Context) (*Key, []byte, error) {
	if v.client == nil {
		c, err := masters.New(v.opts)
		if err != nil {
			return nil, nil, err
		}
		v.client = c
	}
	resp, err := v.client.Do(ctx, masters.Request{Op: "get gateway key", Method: http.MethodGet,
		Path: Path + "?audience=" + url.QueryEscape(v.audience)})
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKey))
	if err != nil {
		return nil, nil, err
	}
	return parseKey(body, v.audience)
}

// parseKey reads the answer of the masters.
func parseKey(body []byte, audience string) (*Key, []byte, error) {
	key := &Key{}
	if err := json.Unmarshal(body, key); err != nil {
		return nil, nil, sdk.Errorf(sdk.CodeInternal, "", "the master's answer is no key: %v", err)
	}
	if key.Insecure {
		return key, nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(key.Key)
	if err != nil || len(raw) < 16 || key.Audience != audience {
		return nil, nil, sdk.Errorf(sdk.CodeInternal, "", "the master's answer holds no key for %q", audience)
	}
	return key, raw, nil
}

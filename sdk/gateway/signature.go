package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// The headers of a signed request. What a caller sends under these names does not pass
// the gateway.
const (
	HeaderCaller    = "Proffer-Caller"
	HeaderSignature = "Proffer-Signature"
)

// Path is the masters' route that hands out the keys.
const Path = "/api/v1/gateway"

// MaxAge is how far the time of a signature may be from the framework's clock.
const MaxAge = time.Minute

// maxHeader bounds what is looked at of a header, in bytes.
const maxHeader = 8 << 10

// Statement is what the gateway says about one request.
type Statement struct {
	Audience  string `json:"audience"`  // principal of the framework that it is meant for
	Principal string `json:"principal"` // of the caller
	Operator  bool   `json:"operator"`  // the caller may act as any principal
	Time      int64  `json:"time"`      // unix seconds
}

// Key is the answer of GET /api/v1/gateway.
type Key struct {
	Audience string `json:"audience"`
	Key      string `json:"key,omitempty"` // base64url without padding
	Insecure bool   `json:"insecure,omitempty"`
}

// Sign makes the two headers for a request of that method and URI, as the framework
// will see them.
func Sign(key []byte, s Statement, method, uri string) (caller, signature string) {
	body, err := json.Marshal(s)
	if err != nil {
		panic("gateway: a statement is plain strings and always encodes: " + err.Error())
	}
	caller = base64.RawURLEncoding.EncodeToString(body)
	return caller, base64.RawURLEncoding.EncodeToString(mac(key, caller, method, uri))
}

func mac(key []byte, caller, method, uri string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(caller + "\n" + method + "\n" + uri))
	return m.Sum(nil)
}

// errSignature is a signature that this key did not make; another key may have.
type errSignature struct{ err *sdk.Error }

func (e errSignature) Error() string { return e.err.Error() }
func (e errSignature) Unwrap() error { return e.err }

// Verify checks a request at now against a key, for an audience. Errors are
// CodeUnauthenticated. Nothing of the statement is read before its signature held.
func Verify(key []byte, audience string, r *http.Request, now time.Time) (Statement, error) {
	refuse := func(format string, args ...any) (Statement, error) {
		return Statement{}, sdk.Errorf(sdk.CodeUnauthenticated, "", format, args...)
	}
	callers, signatures := r.Header.Values(HeaderCaller), r.Header.Values(HeaderSignature)
	if len(callers) == 0 && len(signatures) == 0 {
		return refuse("this request did not come through the gateway of a master: call http://MASTER:5050/service/NAME/… with a credential of the cluster")
	}
	if len(callers) != 1 || len(signatures) != 1 || len(callers[0]) > maxHeader {
		return refuse("%s and %s must be there once each, and small", HeaderCaller, HeaderSignature)
	}
	sig, err := base64.RawURLEncoding.Strict().DecodeString(signatures[0])
	if err != nil || !hmac.Equal(sig, mac(key, callers[0], r.Method, requestURI(r))) {
		e := sdk.Errorf(sdk.CodeUnauthenticated, HeaderSignature, "is not the gateway's for this caller, method and path")
		return Statement{}, errSignature{e}
	}
	body, err := base64.RawURLEncoding.Strict().DecodeString(callers[0])
	if err != nil {
		return refuse("%s is damaged", HeaderCaller)
	}
	var s Statement
	if err := json.Unmarshal(body, &s); err != nil {
		return refuse("%s is of a newer version that this one does not know", HeaderCaller)
	}
	if s.Audience != audience {
		return refuse("the request was signed for %q, this is %q", s.Audience, audience)
	}
	if age := now.Sub(time.Unix(s.Time, 0)); age > MaxAge || age < -MaxAge {
		return refuse("the request was signed %s ago; a signature holds for %s (do the clocks differ?)", age.Round(time.Second), MaxAge)
	}
	return s, nil
}

// requestURI is what stood in the first line of the request.
func requestURI(r *http.Request) string {
	if r.RequestURI != "" {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

package masters

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// Unreachable says that no master could be asked at all, and why not, address by
// address. It unwraps to an *sdk.Error of CodeUnavailable.
type Unreachable struct {
	Op       string
	Attempts []Attempt
}

// Attempt is one address that was tried in vain.
type Attempt struct {
	Addr string
	Err  error
}

// Error is the sentence with every address that was tried.
func (u *Unreachable) Error() string { return u.err().Error() }

// Unwrap gives the class of the error, for sdk.CodeOf.
func (u *Unreachable) Unwrap() error { return u.err() }

func (u *Unreachable) err() *sdk.Error {
	var tried []string
	for _, a := range u.Attempts {
		tried = append(tried, a.Addr+": "+rootCause(a.Err))
	}
	e := sdk.Errorf(sdk.CodeUnavailable, "", "cannot reach the cluster: no master answers (%s)", strings.Join(tried, "; "))
	e.Op = u.Op
	return e
}

// IsUnreachable tells whether err is, or wraps, an *Unreachable.
func IsUnreachable(err error) bool {
	var u *Unreachable
	return errors.As(err, &u)
}

// rootCause drops the wrapping of net/http, which repeats method and address.
func rootCause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// maxRefusal bounds what is read of a refusal's body, in bytes.
const maxRefusal = 64 << 10

// Refusal reads the body of an answer of status 400 or more and makes it an
// *sdk.Error: our own message when the body is one, else its plain text.
func Refusal(op string, resp *http.Response) *sdk.Error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	e := &sdk.Error{}
	enc, err := wire.ParseContentType(resp.Header.Get("Content-Type"))
	if err != nil || wire.Unmarshal(enc, body, e) != nil || e.Message == "" {
		text := strings.TrimSpace(string(body))
		if text == "" {
			text = "the master answered " + resp.Status
		}
		e = &sdk.Error{Message: text}
	}
	if e.Code == "" {
		e.Code = sdk.CodeForStatus(resp.StatusCode)
	}
	if e.Op == "" {
		e.Op = op
	}
	return e
}

package sdk

import (
	"errors"
	"fmt"
)

// Code is the class of an Error, for programs. Codes are only ever added.
type Code string

// The codes, each with the HTTP status that carries it.
const (
	CodeInvalid         Code = "invalid"         // 400: the request itself is wrong
	CodeUnauthenticated Code = "unauthenticated" // 401: no credential, or a wrong one
	CodeDenied          Code = "denied"          // 403: known, but not allowed
	CodeNotFound        Code = "not_found"       // 404
	CodeConflict        Code = "conflict"        // 409: the state does not allow it now
	CodeGone            Code = "gone"            // 410: it existed and never comes back
	CodeTooLarge        Code = "too_large"       // 413
	CodeUnsupported     Code = "unsupported"     // 415: this encoding or version is not spoken
	CodeExhausted       Code = "exhausted"       // 429: a limit is reached, retry later
	CodeInternal        Code = "internal"        // 500: a fault of ours
	CodeUnavailable     Code = "unavailable"     // 503: no leader, starting, or stopping
	CodeUnknown         Code = "unknown"         // 504: it is not known whether it was done
)

// Error is every refusal of Proffer: a class for programs, and a sentence for
// people that says what was wrong, where, and where it helps what to do.
type Error struct {
	Code    Code   `wire:"1,code,required"`
	Op      string `wire:"2,op"`    // what was being done, such as "accept offer o-17"
	Field   string `wire:"3,field"` // path of the wrong field, such as "accept.offer_ids[1]"
	Message string `wire:"4,message"`
}

// Errorf makes an Error about a field (empty when no single field is at fault).
func Errorf(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Error is the sentence: "op: field: message", without the parts that are empty.
func (e *Error) Error() string {
	s := e.Message
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	return s
}

// CodeOf is the class of err: that of the Error it wraps, else CodeInternal.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// codeStatus is the one table between codes and HTTP statuses, used by servers
// and clients alike.
func codeStatus() []struct {
	code   Code
	status int
} {
	return []struct {
		code   Code
		status int
	}{
		{CodeInvalid, 400}, {CodeUnauthenticated, 401}, {CodeDenied, 403}, {CodeNotFound, 404},
		{CodeConflict, 409}, {CodeGone, 410}, {CodeTooLarge, 413}, {CodeUnsupported, 415},
		{CodeExhausted, 429}, {CodeInternal, 500}, {CodeUnavailable, 503}, {CodeUnknown, 504},
	}
}

// HTTPStatus is the status that carries the code.
func (c Code) HTTPStatus() int {
	for _, row := range codeStatus() {
		if row.code == c {
			return row.status
		}
	}
	return 500
}

// CodeForStatus is the code that an HTTP status of 400 or more stands for; an
// unlisted 4xx is CodeInvalid, anything else CodeInternal.
func CodeForStatus(status int) Code {
	for _, row := range codeStatus() {
		if row.status == status {
			return row.code
		}
	}
	if status >= 400 && status < 500 {
		return CodeInvalid
	}
	return CodeInternal
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// The exit codes of every command; `run` gives its task's own instead, and 125 to 127 for
// its own faults, as docker does.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitDenied      = 4
	exitConflict    = 5
	exitDeployment  = 6 // a deployment was cancelled, or failed
	exitTimeout     = 7
	exitUnreachable = 8
	exitRunFault    = 125 // run: the task could not be started
)

// exitCode ends the program with a code and without another word.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usageError is a command line that can not be understood.
type usageError struct{ err error }

func (u usageError) Error() string { return u.err.Error() }
func (u usageError) Unwrap() error { return u.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// codeOf is the exit code that tells err.
func codeOf(err error) int {
	var usage usageError
	var e *sdk.Error
	var undone errNotDone
	switch {
	case errors.As(err, &usage), strings.HasPrefix(err.Error(), "unknown command"): // cobra's own words
		return exitUsage
	case errors.As(err, &undone):
		return exitDeployment
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	case !errors.As(err, &e):
		return exitFailure
	}
	switch e.Code {
	case sdk.CodeNotFound:
		return exitNotFound
	case sdk.CodeUnauthenticated, sdk.CodeDenied:
		return exitDenied
	case sdk.CodeConflict, sdk.CodeGone:
		return exitConflict
	case sdk.CodeUnavailable:
		return exitUnreachable
	}
	return exitFailure
}

package store

import (
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/profferhq/proffer/sdk"
)

// The limits. They belong to the format of the commands: all masters must decide
// alike.
const (
	MaxKey            = 1024      // bytes of a key
	MaxValue          = 512 << 10 // bytes of a value
	MaxTransaction    = 1 << 20   // bytes in the keys, values and leases of a transaction
	MaxOperations     = 4096      // compares and operations of a transaction
	MaxLeases         = 10000     // of one space
	MaxSpaces         = 1000      // of one principal
	DefaultSpaceLimit = 64 << 20  // bytes of a space, unless masters are told otherwise
	KeyOverhead       = 64        // bytes that a key counts beside itself and its value

	MinTTL = 100 * time.Millisecond
	MaxTTL = 24 * time.Hour
)

// Bounds of the history of one space; what is older is forgotten.
const (
	maxHistory      = 4096    // changes of keys
	maxHistoryBytes = 4 << 20 // counted as those of the space
)

func exhausted(field, what string, size, limit uint64) *sdk.Error {
	return sdk.Errorf(sdk.CodeExhausted, field, "%s: %d, the limit is %d", what, size, limit)
}

// validate refuses a command that no state could take.
func (c *Command) validate() *sdk.Error {
	if err := c.Space.validate(); err != nil {
		return err
	}
	switch {
	case c.Type == CommandCommit && c.Commit != nil:
		return validateCommit(c.Commit)
	case c.Type == CommandGrant && c.Grant != nil:
		if ttl := time.Duration(c.Grant.TTL); ttl < MinTTL || ttl > MaxTTL {
			return sdk.Errorf(sdk.CodeInvalid, "grant.ttl_seconds", "is %v, it must be %v to %v", ttl, MinTTL, MaxTTL)
		}
		return nil
	case c.Type == CommandRevoke && c.Revoke != nil:
		return nil
	}
	return sdk.Errorf(sdk.CodeInvalid, "type", "the command %q is unknown or has no content", c.Type)
}

func (s Space) validate() *sdk.Error {
	if err := validateText("space", s.Name, false); err != nil {
		return err
	}
	return validateText("principal", s.Principal, true)
}

// validateText is the grammar of keys, prefixes and names.
func validateText(field, s string, empty bool) *sdk.Error {
	switch {
	case s == "" && !empty:
		return sdk.Errorf(sdk.CodeInvalid, field, "must not be empty")
	case len(s) > MaxKey:
		return sdk.Errorf(sdk.CodeInvalid, field, "has %d bytes, the limit is %d", len(s), MaxKey)
	case !utf8.ValidString(s):
		return sdk.Errorf(sdk.CodeInvalid, field, "is not UTF-8")
	}
	for i, r := range s {
		if unicode.IsControl(r) {
			return sdk.Errorf(sdk.CodeInvalid, field, "has the control character %q at byte %d", r, i)
		}
	}
	return nil
}

func validateCommit(c *sdk.StoreCommit) *sdk.Error {
	if n := len(c.If) + len(c.Then) + len(c.Else); n > MaxOperations {
		return exhausted("commit", "number of compares and operations", uint64(n), MaxOperations)
	}
	size := 0
	for i := range c.If {
		x := &c.If[i]
		size += len(x.Key) + len(x.Value) + len(x.Lease)
		if err := validateText("key", x.Key, false); err != nil {
			return at(err, "commit.if", i)
		}
		switch x.Type {
		case sdk.StoreAbsent, sdk.StoreExists, sdk.StoreUnchanged, sdk.StoreValueIs, sdk.StoreHeldBy:
		default:
			return at(sdk.Errorf(sdk.CodeInvalid, "type", "%q is no condition", string(x.Type)), "commit.if", i)
		}
	}
	for i := range c.Then {
		if err := validateOp(&c.Then[i], &size); err != nil {
			return at(err, "commit.then", i)
		}
	}
	for i := range c.Else {
		if err := validateOp(&c.Else[i], &size); err != nil {
			return at(err, "commit.else", i)
		}
	}
	if size > MaxTransaction {
		return exhausted("commit", "bytes of a transaction", uint64(size), MaxTransaction)
	}
	return nil
}

func validateOp(op *sdk.StoreOp, size *int) *sdk.Error {
	*size += len(op.Key) + len(op.Value) + len(op.Lease)
	switch op.Type {
	case sdk.StorePut, sdk.StoreDelete, sdk.StoreDeletePrefix:
	default:
		return sdk.Errorf(sdk.CodeInvalid, "type", "%q is no operation", string(op.Type))
	}
	if err := validateText("key", op.Key, op.Type == sdk.StoreDeletePrefix); err != nil {
		return err
	}
	if len(op.Value) > MaxValue {
		return exhausted("value", "bytes of the value of "+op.Key, uint64(len(op.Value)), MaxValue)
	}
	if op.Type != sdk.StorePut && (len(op.Value) > 0 || op.Lease != "") {
		return sdk.Errorf(sdk.CodeInvalid, "type", "%s takes neither a value nor a lease", op.Type)
	}
	return nil
}

// at puts the place of an element before the field that is at fault.
func at(err *sdk.Error, list string, i int) *sdk.Error {
	e := *err
	e.Field = fmt.Sprintf("%s[%d].%s", list, i, err.Field)
	return &e
}

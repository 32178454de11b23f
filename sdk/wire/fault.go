package wire

import (
	"errors"
	"strconv"

	"github.com/profferhq/proffer/sdk"
)

// invalid is a refusal; the walker adds the path on the way out, so that a good
// message never pays for it.
func invalid(format string, args ...any) error {
	return sdk.Errorf(sdk.CodeInvalid, "", format, args...)
}

// within says that err happened inside the field called name.
func within(err error, name string) error {
	var e *sdk.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Field == "":
		e.Field = name
	case e.Field[0] == '[':
		e.Field = name + e.Field
	default:
		e.Field = name + "." + e.Field
	}
	return err
}

// at says that err happened in element i of a list.
func at(err error, i int) error {
	return within(err, "["+strconv.Itoa(i)+"]")
}

// under says that err happened in the entry of a map.
func under(err error, key string) error {
	if len(key) > 64 {
		key = key[:64] + "…"
	}
	return within(err, "["+strconv.Quote(key)+"]")
}

// failed adds what was being done.
func failed(err error, op string) error {
	var e *sdk.Error
	if errors.As(err, &e) && e.Op == "" {
		e.Op = op
	}
	return err
}

package sdk

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// MaxTextLength is the longest short text that people are shown, such as a
// name, a user, a host or a label's key, in bytes.
const MaxTextLength = 1024

// ValidateText refuses a short text that could not be shown on one line as what
// it is: longer than MaxTextLength bytes, not UTF-8, or with a control character,
// a line separator, or a mark that turns the direction of what follows. Anything
// else, the empty text too, is allowed, as Mesos does. field is the path that the
// error names.
func ValidateText(field, s string) error {
	if len(s) > MaxTextLength {
		return Errorf(CodeInvalid, field, "is %d bytes long, at most %d are allowed", len(s), MaxTextLength)
	}
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return Errorf(CodeInvalid, field, "is not UTF-8 at byte %d", i)
			}
		}
		if Unshowable(r) {
			return Errorf(CodeInvalid, field, "has the character %q at byte %d; control characters are not allowed", r, i)
		}
	}
	return nil
}

// Unshowable tells whether a character would do something to a terminal, or to the
// text around it, instead of standing for itself.
func Unshowable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

// Validate refuses labels whose keys could not be shown; values may be any
// text, such as a template of several lines.
func (l *Labels) Validate(field string) error {
	if l == nil {
		return nil
	}
	for i := range l.Labels {
		if err := ValidateText(fmt.Sprintf("%s.labels[%d].key", field, i), l.Labels[i].Key); err != nil {
			return err
		}
	}
	return nil
}

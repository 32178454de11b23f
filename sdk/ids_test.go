package sdk

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestValidateID(t *testing.T) {
	for _, c := range []struct{ name, id, want string }{
		{"plain", "web.7_a:b-c", ""},
		{"with a blank and letters beyond ASCII", "zwölf tasks", ""},
		{"longest", strings.Repeat("x", MaxIDLength), ""},
		{"dots inside", "a..b", ""},
		{"empty", "", "kill.task_id: must not be empty"},
		{"too long", strings.Repeat("x", MaxIDLength+1), "kill.task_id: is 256 bytes long, at most 255 are allowed"},
		{"dot", ".", `kill.task_id: must not be "."`},
		{"dots", "..", `kill.task_id: must not be ".."`},
		{"slash", "a/b", `kill.task_id: has the character '/' at byte 1;`},
		{"backslash", `a\b`, `kill.task_id: has the character '\\' at byte 1;`},
		{"control character", "a\nb", `kill.task_id: has the character '\n' at byte 1;`},
		{"zero byte", "\x00", `kill.task_id: has the character '\x00' at byte 0;`},
		{"delete", "ab\x7f", `kill.task_id: has the character '\x7f' at byte 2;`},
		{"not UTF-8", "a\xff", `kill.task_id: has the character '�' at byte 1;`},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := ValidateID("kill.task_id", TaskID(c.id))
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != c.want && (c.want == "" || !strings.HasPrefix(got, c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if err != nil && CodeOf(err) != CodeInvalid {
				t.Errorf("the code is %s", CodeOf(err))
			}
		})
	}
}

func TestErrorSentence(t *testing.T) {
	for _, c := range []struct {
		e    Error
		want string
	}{
		{Error{Message: "no"}, "no"},
		{Error{Field: "accept.offer_ids[1]", Message: "is not yours"}, "accept.offer_ids[1]: is not yours"},
		{Error{Op: "accept offer o-17", Message: "it was rescinded"}, "accept offer o-17: it was rescinded"},
		{Error{Op: "accept", Field: "filters", Message: "no"}, "accept: filters: no"},
	} {
		if got := c.e.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestCodes: a code survives being told as an HTTP status, also when the error is
// wrapped, and each code has a status of its own.
func TestCodes(t *testing.T) {
	seen := map[int]Code{}
	for _, row := range codeStatus() {
		if other, twice := seen[row.status]; twice {
			t.Errorf("%s and %s are both %d", row.code, other, row.status)
		}
		seen[row.status] = row.code
		if got := CodeForStatus(row.code.HTTPStatus()); got != row.code {
			t.Errorf("%s comes back as %s", row.code, got)
		}
		err := fmt.Errorf("outside: %w", Errorf(row.code, "f", "m"))
		if got := CodeOf(err); got != row.code {
			t.Errorf("wrapped %s is %s", row.code, got)
		}
	}
	for status, want := range map[int]Code{418: CodeInvalid, 502: CodeInternal, 200: CodeInternal} {
		if got := CodeForStatus(status); got != want {
			t.Errorf("%d is %s, want %s", status, got, want)
		}
	}
	if got := Code("from the future").HTTPStatus(); got != 500 {
		t.Errorf("an unknown code is %d", got)
	}
	if got := CodeOf(errors.New("anything")); got != CodeInternal {
		t.Errorf("a foreign error is %s", got)
	}
}

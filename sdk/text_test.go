package sdk

import (
	"strings"
	"testing"
)

func TestValidateText(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"plain", "web/7 {\"a\"} \\ <b>", ""},
		{"letters beyond ASCII", "zwölf 十二 🚀", ""},
		{"the character that stands for others", "a\uFFFD", ""},
		{"longest", strings.Repeat("x", MaxTextLength), ""},
		{"too long", strings.Repeat("x", MaxTextLength+1), "info.name: is 1025 bytes long, at most 1024 are allowed"},
		{"escape", "n\x00\x1b[2Jx\nY", `info.name: has the character '\x00' at byte 1;`},
		{"tab", "a\tb", `info.name: has the character '\t' at byte 1;`},
		{"delete", "\x7f", `info.name: has the character '\x7f' at byte 0;`},
		{"C1", "ä\u009b2J", `info.name: has the character '\u009b' at byte 2;`},
		{"line separator", "a\u2028b", `info.name: has the character '\u2028' at byte 1;`},
		{"backwards", "cod\u202egnp", `info.name: has the character '\u202e' at byte 3;`},
		{"not UTF-8", "a\xff", "info.name: is not UTF-8 at byte 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := ValidateText("info.name", c.text)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want) || CodeOf(err) != CodeInvalid):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestLabelsValidate(t *testing.T) {
	if err := (*Labels)(nil).Validate("labels"); err != nil {
		t.Errorf("no labels: %v", err)
	}
	l := &Labels{Labels: []Label{{Key: "a", Value: "two\nlines"}, {Key: "b\n"}}}
	if err := l.Validate("labels"); err == nil || !strings.HasPrefix(err.Error(), "labels.labels[1].key: has the character") {
		t.Errorf("got %v", err)
	}
}

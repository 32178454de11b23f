package app

import (
	"slices"
	"strings"
)

// Selector picks apps by their labels. The zero Selector picks all.
type Selector struct{ terms []term }

// term is one condition.
type term struct {
	key    string
	op     string   // "" (the label is there), ==, !=, in, notin
	values []string // of the label, for all but ""
}

// Matches tells whether all conditions hold. != and notin need the label to be there.
func (s Selector) Matches(labels map[string]string) bool {
	return !slices.ContainsFunc(s.terms, func(t term) bool {
		value, there := labels[t.key]
		switch {
		case !there:
			return true
		case t.op == "":
			return false
		}
		return slices.Contains(t.values, value) != (t.op == "==" || t.op == "in")
	})
}

// ParseSelector reads Marathon's selectors of labels: key, key==v, key!=v,
// key in (a,b) and key notin (a,b), of which several are joined by commas and must
// all hold. A backslash takes the next character as it is. The error is a *Refusal.
func ParseSelector(s string) (Selector, error) {
	p := &selectorReader{rest: s}
	var out Selector
	for {
		t, wrong := p.term()
		if wrong != "" {
			return Selector{}, Invalid("/label", "the selector %q is not understood at character %d: %s", shorten(s), len([]rune(s))-len([]rune(p.rest))+1, wrong)
		}
		out.terms = append(out.terms, t)
		if p.space(); p.rest == "" {
			return out, nil
		}
		p.rest = p.rest[1:] // the comma, which term has seen
	}
}

type selectorReader struct{ rest string }

func (p *selectorReader) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

func (p *selectorReader) take(token string) bool {
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

// word reads up to a character with a meaning; quoted tells whether it has a backslash.
func (p *selectorReader) word() (w string, quoted bool, wrong string) {
	p.space()
	var b strings.Builder
	for p.rest != "" && !strings.ContainsRune("=!,() \t", rune(p.rest[0])) {
		if p.rest[0] == '\\' {
			if p.rest = p.rest[1:]; p.rest == "" {
				return "", true, "a backslash is the last character"
			}
			quoted = true
		}
		b.WriteByte(p.rest[0])
		p.rest = p.rest[1:]
	}
	if b.Len() == 0 {
		return "", quoted, "a word is missing"
	}
	return b.String(), quoted, ""
}

// term reads one condition, up to the end or a comma.
func (p *selectorReader) term() (term, string) {
	key, _, wrong := p.word()
	if wrong != "" {
		return term{}, wrong
	}
	t := term{key: key}
	switch p.space(); {
	case p.rest == "" || p.rest[0] == ',':
		return t, ""
	case p.take("=="):
		t.op = "=="
	case p.take("!="):
		t.op = "!="
	default:
		before := p.rest
		op, quoted, _ := p.word()
		if quoted || op != "in" && op != "notin" {
			p.rest = before
			return t, "one of ==, !=, in, notin or a comma must follow a label"
		}
		t.op = op
		return p.set(t)
	}
	value, _, wrong := p.word()
	if wrong != "" {
		return t, wrong
	}
	t.values = []string{value}
	return t, p.end()
}

// set reads the values of in and notin.
func (p *selectorReader) set(t term) (term, string) {
	if p.space(); !p.take("(") {
		return t, "a ( must follow " + t.op
	}
	for {
		value, _, wrong := p.word()
		if wrong != "" {
			return t, wrong
		}
		t.values = append(t.values, value)
		switch p.space(); {
		case p.take(","):
		case p.take(")"):
			return t, p.end()
		default:
			return t, "a comma or a ) must follow a value"
		}
	}
}

func (p *selectorReader) end() string {
	if p.space(); p.rest != "" && p.rest[0] != ',' {
		return "a comma must follow a condition"
	}
	return ""
}

// Filter picks apps as the query of GET /v2/apps does.
type Filter struct {
	Cmd, ID string // parts of the command and of the id, whatever their case; "" picks all
	Label   Selector
}

// Matches tells whether the app is picked.
func (q Filter) Matches(a *App) bool {
	has := func(s, part string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(part)) }
	if q.Cmd != "" && (a.Cmd == nil || !has(*a.Cmd, q.Cmd)) {
		return false
	}
	return (q.ID == "" || has(string(a.ID), q.ID)) && q.Label.Matches(a.Labels)
}

package placement

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// rule is a constraint that is ready to be asked.
type rule struct {
	app.Constraint
	pattern *regexp.Regexp // of LIKE and UNLIKE
	most    int            // of MAX_PER
}

// compile reads the constraints of an app, which is believed to be valid; what can
// not be read accepts nothing.
func compile(a *app.App) []rule {
	rules := make([]rule, len(a.Constraints))
	for i, c := range a.Constraints {
		rules[i].Constraint = c
		switch c.Operator {
		case app.Like, app.Unlike:
			rules[i].pattern, _ = regexp.Compile(`\A(?:` + c.Value + `)\z`)
		case app.MaxPer:
			rules[i].most, _ = strconv.Atoi(c.Value)
		}
	}
	return rules
}

// of is the value of the rule's field for a placed instance.
func (r *rule) of(p *Placed) (string, bool) {
	if r.Host() {
		return p.Host, true
	}
	v, ok := p.Values[r.Field]
	return v, ok
}

// refuses says why an instance more may not be on the agent; empty: it may.
func (r *rule) refuses(b *book, counted []Placed) string {
	value, found := b.value(r.Field)
	if r.Host() {
		value, found = b.offer.Hostname, true
	}
	if !found {
		if r.Operator == app.Unlike {
			return ""
		}
		return fmt.Sprintf("the agent has no attribute %s", r.Field)
	}
	switch r.Operator {
	case app.Unique:
		if r.count(value, counted) > 0 {
			return fmt.Sprintf("an instance with %s %s is there already", r.Field, value)
		}
	case app.MaxPer:
		if n := r.count(value, counted); n >= r.most {
			return fmt.Sprintf("%d instances with %s %s are there already", n, r.Field, value)
		}
	case app.Cluster:
		want := r.Value
		for i := range counted {
			if v, ok := r.of(&counted[i]); want == "" && ok {
				want = v
			}
		}
		if want != "" && value != want {
			return fmt.Sprintf("%s is %s and not %s", r.Field, value, want)
		}
	case app.Like:
		if r.pattern == nil || !r.pattern.MatchString(value) {
			return fmt.Sprintf("%s is %s, which is not like %s", r.Field, value, r.Value)
		}
	case app.Unlike:
		if r.pattern == nil || r.pattern.MatchString(value) {
			return fmt.Sprintf("%s is %s, which is like %s", r.Field, value, r.Value)
		}
	default:
		return fmt.Sprintf("the operator %s is not served", r.Operator)
	}
	return ""
}

func (r *rule) count(value string, counted []Placed) int {
	n := 0
	for i := range counted {
		if v, ok := r.of(&counted[i]); ok && v == value {
			n++
		}
	}
	return n
}

// attributeText is an attribute's value as constraints see it: sets sorted, ranges
// canonical, scalars with at most three decimals.
func attributeText(a *sdk.Attribute) string {
	switch {
	case a.Scalar != nil:
		return strconv.FormatFloat(sdk.FromMillis(sdk.Millis(a.Scalar.Value)), 'f', -1, 64)
	case a.Set != nil:
		return a.Set.Canonical().String()
	case a.Ranges != nil:
		return a.Ranges.Canonical().String()
	}
	return a.ValueText()
}

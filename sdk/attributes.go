package sdk

import (
	"strconv"
	"strings"
)

// ParseAttributes reads the text form of an agent's attributes: `name:value`
// separated by semicolons. A value is a number, ranges as `[1-5]`, a set as
// `{a,b}`, or any other text. A name may stand more than once, as in Mesos.
func ParseAttributes(text string) ([]Attribute, error) {
	var list []Attribute
	for part := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, found := strings.Cut(part, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if fault := nameFault(name); fault != "" {
			return nil, Errorf(CodeInvalid, "attributes", "Bad attribute %q: %s", part, fault)
		}
		if !found || value == "" {
			return nil, Errorf(CodeInvalid, "attributes."+name, "Bad attribute %q: missing value; write name:value", part)
		}
		a, fault := parseAttribute(name, value)
		if fault != "" {
			return nil, Errorf(CodeInvalid, "attributes."+name, "Bad attribute %q: %s", part, fault)
		}
		list = append(list, a)
	}
	return list, nil
}

func parseAttribute(name, value string) (Attribute, string) {
	a := Attribute{Name: name}
	var fault string
	switch value[0] {
	case '[':
		a.Type, a.Ranges = ValueRanges, &Ranges{}
		*a.Ranges, fault = parseRanges(value)
		return a, fault
	case '{':
		a.Type, a.Set = ValueSet, &Set{}
		*a.Set, fault = parseSet(value)
		return a, fault
	}
	if number, ok := parseNumber(value); ok {
		a.Type, a.Scalar = ValueScalar, &Scalar{Value: number}
		return a, ""
	}
	if err := ValidateText("the value", value); err != nil {
		return a, err.Error()
	}
	a.Type, a.Text = ValueText, &Text{Value: value}
	return a, ""
}

// parseNumber reads plain decimal numbers only: `inf`, `nan` and `0x10` are text.
func parseNumber(value string) (float64, bool) {
	if strings.Trim(value, "+-.0123456789eE") != "" || strings.Trim(value, "eE") != value {
		return 0, false
	}
	number, err := strconv.ParseFloat(value, 64)
	return number, err == nil
}

// FormatAttributes is the text form that ParseAttributes reads.
func FormatAttributes(list []Attribute) string {
	parts := make([]string, 0, len(list))
	for i := range list {
		parts = append(parts, list[i].Name+":"+list[i].ValueText())
	}
	return strings.Join(parts, ";")
}

// ValueText is the attribute's value as text, whatever its type.
func (a *Attribute) ValueText() string {
	switch {
	case a.Scalar != nil:
		return strconv.FormatFloat(a.Scalar.Value, 'f', -1, 64)
	case a.Ranges != nil:
		return a.Ranges.String()
	case a.Set != nil:
		return a.Set.String()
	case a.Text != nil:
		return a.Text.Value
	}
	return ""
}

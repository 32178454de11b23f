package sdk

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseResources reads the text form of resources: `name:value` or
// `name(role):value`, separated by semicolons. A value is a number, ranges as
// `[31000-32000,33000-33009]`, or a set as `{a,b}`. Names that stand more than
// once are added up. An *Error names the part that is wrong.
func ParseResources(text string) (Resources, error) {
	var list Resources
	for part := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		x, err := parseResource(part)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	if err := list.Validate("resources"); err != nil {
		return nil, err
	}
	return list.Normalize(), nil
}

func parseResource(part string) (Resource, error) {
	head, value, found := strings.Cut(part, ":")
	name, role := strings.TrimSpace(head), ""
	if open := strings.IndexByte(name, '('); open >= 0 && strings.HasSuffix(name, ")") {
		name, role = strings.TrimSpace(name[:open]), strings.TrimSpace(name[open+1:len(name)-1])
		if err := ValidateRole("resources."+name+".role", role); err != nil {
			return Resource{}, err
		}
	}
	if fault := nameFault(name); fault != "" {
		return Resource{}, Errorf(CodeInvalid, "resources", "Bad resource %q: %s", part, fault)
	}
	value = strings.TrimSpace(value)
	if !found || value == "" {
		return Resource{}, Errorf(CodeInvalid, "resources."+name, "Bad resource %q: missing value; write name:value", part)
	}
	x := Resource{Name: name}
	if role != "" && role != DefaultRole {
		x.Reservations = []ReservationInfo{{Type: ReservationStatic, Role: role}}
	}
	var fault string
	switch value[0] {
	case '[':
		x.Type, x.Ranges = ValueRanges, &Ranges{}
		*x.Ranges, fault = parseRanges(value)
	case '{':
		x.Type, x.Set = ValueSet, &Set{}
		*x.Set, fault = parseSet(value)
	default:
		x.Type, x.Scalar = ValueScalar, &Scalar{}
		var err error
		if x.Scalar.Value, err = strconv.ParseFloat(value, 64); err != nil {
			fault = "the value is neither a number, [ranges] nor {a set}"
		}
	}
	if fault != "" {
		return Resource{}, Errorf(CodeInvalid, "resources."+name, "Bad resource %q: %s", part, fault)
	}
	return x, nil
}

func parseRanges(text string) (Ranges, string) {
	inner, ok := strings.CutSuffix(text[1:], "]")
	if !ok {
		return Ranges{}, "the bracket is not closed"
	}
	var out Ranges
	for part := range strings.SplitSeq(inner, ",") {
		low, high, found := strings.Cut(part, "-")
		if !found {
			high = low
		}
		begin, err1 := strconv.ParseUint(strings.TrimSpace(low), 10, 64)
		end, err2 := strconv.ParseUint(strings.TrimSpace(high), 10, 64)
		if err1 != nil || err2 != nil {
			return Ranges{}, fmt.Sprintf("the range %q is not begin-end", strings.TrimSpace(part))
		}
		out.Range = append(out.Range, Range{Begin: begin, End: end})
	}
	return out, rangesFault(out)
}

func parseSet(text string) (Set, string) {
	inner, ok := strings.CutSuffix(text[1:], "}")
	if !ok {
		return Set{}, "the brace is not closed"
	}
	var out Set
	for part := range strings.SplitSeq(inner, ",") {
		item := strings.TrimSpace(part)
		if fault := itemFault(item); fault != "" {
			return Set{}, fault
		}
		out.Item = append(out.Item, item)
	}
	return out, ""
}

// nameFault tells why a text cannot be a resource's or an attribute's name: it
// must survive being printed and parsed, and being part of a file name.
func nameFault(name string) string { return wordFault("name", name, "()/") }

// itemFault tells why a text cannot be an item of a set.
func itemFault(item string) string { return wordFault("item", item, "") }

func wordFault(what, word, forbidden string) string {
	switch {
	case word == "":
		return "empty " + what
	case len(word) > MaxIDLength:
		return fmt.Sprintf("%s is %d bytes long, at most %d are allowed", what, len(word), MaxIDLength)
	case word != strings.TrimSpace(word):
		return fmt.Sprintf("%s %q begins or ends with white space", what, word)
	}
	for i, c := range word {
		if c < ' ' || c == 0x7f || c == '\uFFFD' || strings.ContainsRune(":;,[]{}"+forbidden, c) {
			return fmt.Sprintf("%s has the character %q at byte %d, which is not allowed", what, c, i)
		}
	}
	return ""
}

// String is r in the text form that ParseResources reads, for what that form
// can say: unreserved and statically reserved amounts. Everything else about an
// entry stands in the parentheses behind its name, as in Describe.
func (r Resources) String() string {
	parts := make([]string, 0, len(r))
	for _, x := range r.Normalize() {
		parts = append(parts, x.Name+x.shortMark()+":"+x.amountText(","))
	}
	return strings.Join(parts, ";")
}

// Describe is r as Mesos prints it in its messages:
// `cpus(allocated: dev)(reservations: [(STATIC,ads)]):0.1; mem:32`.
func (r Resources) Describe() string {
	parts := make([]string, 0, len(r))
	for _, x := range r.Normalize() {
		parts = append(parts, x.Name+x.longMark()+":"+x.amountText(", "))
	}
	return strings.Join(parts, "; ")
}

func (x *Resource) shortMark() string {
	plain := x.AllocationInfo == nil && x.Disk == nil && x.Revocable == nil && x.Shared == nil
	if plain && len(x.Reservations) == 1 && x.Reservations[0].Type == ReservationStatic {
		return "(" + x.Reservations[0].Role + ")"
	}
	return x.longMark()
}

func (x *Resource) longMark() string {
	var b strings.Builder
	if x.AllocationInfo != nil {
		fmt.Fprintf(&b, "(allocated: %s)", x.AllocationInfo.Role)
	}
	if len(x.Reservations) > 0 {
		marks := make([]string, 0, len(x.Reservations))
		for _, info := range x.Reservations {
			words := []string{string(info.Type), info.Role}
			if info.Principal != "" {
				words = append(words, info.Principal)
			}
			marks = append(marks, "("+strings.Join(words, ",")+")")
		}
		fmt.Fprintf(&b, "(reservations: [%s])", strings.Join(marks, ","))
	}
	if x.Disk != nil && x.Disk.Persistence != nil {
		fmt.Fprintf(&b, "[%s]", x.Disk.Persistence.ID)
	}
	if x.Revocable != nil {
		b.WriteString("{REV}")
	}
	if x.Shared != nil {
		b.WriteString("<SHARED>")
	}
	return b.String()
}

// plainText is the entry as given, for the message that refuses it.
func (x *Resource) plainText() string { return x.Name + ":" + x.amountText(", ") }

func (x *Resource) amountText(separator string) string {
	switch {
	case x.Type == ValueRanges:
		if x.Ranges == nil {
			return "[]"
		}
		return x.Ranges.text(separator)
	case x.Type == ValueSet:
		if x.Set == nil {
			return "{}"
		}
		return x.Set.text(separator)
	case x.Scalar == nil:
		return ""
	case x.Scalar.Value-x.Scalar.Value != 0: // not a number, or infinite
		return strconv.FormatFloat(x.Scalar.Value, 'g', -1, 64)
	}
	return formatMillis(Millis(x.Scalar.Value))
}

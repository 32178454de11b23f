package schedule

import (
	"fmt"
	"strings"
)

// period is an ISO 8601 duration: months and days of the calendar, which are added on
// the zone's clock, then an exact duration. So P1D is the same time tomorrow, PT24H is
// 86,400 seconds.
type period struct {
	months, days, exact int64 // exact in milliseconds
	parts               [7]int64
}

// The parts of a period in their order; the last ones stand behind the T.
const (
	units     = "YMWDHMS"
	firstTime = 4
)

// parsePeriod reads P[nY][nM][nW][nD][T[nH][nM][nS]]: upper case, whole numbers without
// a sign. Seconds may have decimals behind a point or a comma, of which three count.
// P alone is a period of no length, as is PT0S. No period is longer than the calendar,
// whose last year is 9999.
func parsePeriod(text string) (period, error) {
	rest, ok := strings.CutPrefix(text, "P")
	if !ok {
		return period{}, fmt.Errorf("a period such as PT90S, P1D or P1M starts with P; this is %s", shorten(text))
	}
	var p period
	next, clock := 0, false
	for rest != "" {
		if !clock && rest[0] == 'T' {
			if clock, next, rest = true, firstTime, rest[1:]; rest == "" {
				return period{}, fmt.Errorf("the period %s ends with T: hours, minutes or seconds are missing", shorten(text))
			}
			continue
		}
		n, fraction, after := number(rest)
		if n == "" || after == "" {
			return period{}, fmt.Errorf("the period %s is not understood at %s: a whole number and one of Y, M, W, D, or behind a T one of H, M, S must follow", shorten(text), shorten(rest))
		}
		unit := strings.IndexByte(units[next:], after[0])
		if unit < 0 || !clock && next+unit >= firstTime {
			return period{}, fmt.Errorf("the period %s is not understood at %s: units are Y, M, W, D, and behind a T H, M, S, in this order", shorten(text), shorten(after))
		}
		unit += next
		var err error
		if p.parts[unit], err = quantity(n, fraction, unit); err != nil {
			return period{}, fmt.Errorf("the period %s: %w", shorten(text), err)
		}
		next, rest = unit+1, after[1:]
	}
	y := p.parts
	p.months, p.days, p.exact = 12*y[0]+y[1], 7*y[2]+y[3], y[4]*3600_000+y[5]*60_000+y[6]
	if p.length() > lastMS {
		return period{}, fmt.Errorf("the period %s is longer than the calendar, which ends with the year 9999", shorten(text))
	}
	return p, nil
}

// number cuts digits, and the decimals behind a point or a comma, off the front.
func number(s string) (whole, fraction, rest string) {
	whole, rest = leading(s)
	if whole != "" && rest != "" && (rest[0] == '.' || rest[0] == ',') {
		if f, after := leading(rest[1:]); f != "" {
			return whole, f, after
		}
	}
	return whole, "", rest
}

// leading cuts the digits off the front.
func leading(s string) (digits, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return s[:len(s)-len(rest)], rest
}

// quantity is one part of a period, seconds in milliseconds.
func quantity(n, fraction string, unit int) (int64, error) {
	n = strings.TrimLeft(n, "0")
	if len(n) > 12 {
		return 0, fmt.Errorf("%s is too large a number", shorten(n))
	}
	v := digits(n)
	if unit != len(units)-1 {
		if fraction != "" {
			return 0, fmt.Errorf("only seconds may have decimals")
		}
		return v, nil
	}
	return v*1000 + thousandths(fraction), nil
}

// digits is the value of a text that has digits only, and few of them.
func digits(s string) int64 {
	v := int64(0)
	for _, c := range []byte(s) {
		v = v*10 + int64(c-'0')
	}
	return v
}

// thousandths are the first three decimals.
func thousandths(fraction string) int64 { return digits((fraction + "000")[:3]) }

func (p period) zero() bool { return p.months == 0 && p.days == 0 && p.exact == 0 }

// length is the mean length in milliseconds: 400 years have 4,800 months and 146,097 days.
func (p period) length() int64 {
	const month = 146097 * dayMS / 4800
	if p.months > lastMS/month || p.days > lastMS/dayMS || p.exact > lastMS {
		return lastMS + 1
	}
	return p.months*month + p.days*dayMS + p.exact
}

// String writes the period as Chronos does: the parts that are not zero, unconverted.
func (p period) String() string {
	var b strings.Builder
	b.WriteByte('P')
	for i, n := range p.parts {
		if i == firstTime && p.exact > 0 {
			b.WriteByte('T')
		}
		switch {
		case n == 0:
		case i < len(units)-1:
			fmt.Fprintf(&b, "%d%c", n, units[i])
		case n%1000 == 0:
			fmt.Fprintf(&b, "%dS", n/1000)
		default:
			fmt.Fprintf(&b, "%d.%03dS", n/1000, n%1000)
		}
	}
	if b.Len() == 1 {
		return "PT0S"
	}
	return b.String()
}

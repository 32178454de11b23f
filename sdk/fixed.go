package sdk

import (
	"math"
	"strconv"
)

// MaxScalar is the largest value of a scalar resource that is believed: beyond
// it thousandths of a float64 are no longer exact, and sums could overflow.
const MaxScalar = 1e12

// maxMillis bounds every sum of thousandths, so that no arithmetic overflows.
const maxMillis int64 = 1 << 62

// Millis is a scalar's value in thousandths, rounded half away from zero, the
// form in which all arithmetic on scalars is done: 0.1+0.1+0.1 is 0.3. Not a
// number is 0; values out of range are clamped.
func Millis(value float64) int64 {
	m := math.Round(value * 1000)
	switch {
	case math.IsNaN(m):
		return 0
	case m >= float64(maxMillis):
		return maxMillis
	case m <= -float64(maxMillis):
		return -maxMillis
	}
	return int64(m)
}

// FromMillis is the value that so many thousandths stand for.
func FromMillis(millis int64) float64 { return float64(millis) / 1000 }

// addMillis adds without overflow; both are within ±maxMillis.
func addMillis(a, b int64) int64 {
	return max(-maxMillis, min(maxMillis, a+b))
}

// formatMillis writes thousandths in their shortest decimal form.
func formatMillis(millis int64) string {
	sign, m := "", millis
	if m < 0 {
		sign, m = "-", -m
	}
	s := sign + strconv.FormatInt(m/1000, 10)
	rest := m % 1000
	if rest == 0 {
		return s
	}
	digits := strconv.FormatInt(1000+rest, 10)[1:]
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return s + "." + digits
}

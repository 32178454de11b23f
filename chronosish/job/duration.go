package job

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time, and how the client wrote it.
type Duration struct {
	Text   string // ISO 8601, as PT5M
	Length time.Duration
}

// Seconds is a Duration of whole seconds.
func Seconds(n int) Duration {
	return Duration{"PT" + strconv.Itoa(n) + "S", time.Duration(n) * time.Second}
}

// maxDuration bounds a window or a delay: what is longer is a mistake.
const maxDuration = 10 * 366 * 24 * time.Hour

// durationPattern has one group for each of weeks, days, hours, minutes and seconds.
// Months and years have no length.
var durationPattern = regexp.MustCompile(`^P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:[.,]\d{1,9})?)S)?)?$`)

// ParseDuration reads a length as ISO 8601 writes it: PT90S, P1DT12H, PT0.5S. The error
// is a sentence without a subject.
func ParseDuration(s string) (Duration, error) {
	m := durationPattern.FindStringSubmatch(s)
	if m == nil || strings.HasSuffix(s, "T") || s == "P" {
		return Duration{}, fmt.Errorf("must be a length of time as in PT90S, PT15M or P1DT12H, and is %q", shorten(s))
	}
	var sum float64
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if m[i+1] != "" {
			x, err := strconv.ParseFloat(strings.Replace(m[i+1], ",", ".", 1), 64)
			if err != nil {
				return Duration{}, fmt.Errorf("must be a length of time, and is %q: %w", shorten(s), err)
			}
			sum += x * float64(unit)
		}
	}
	if sum > float64(maxDuration) {
		return Duration{}, fmt.Errorf("must be at most ten years, and is %s", shorten(s))
	}
	return Duration{s, time.Duration(sum)}, nil
}

package schedule

import (
	"fmt"
	"strings"
)

// Refusal is why a schedule or a zone is not accepted.
type Refusal struct {
	Field   string // schedule or scheduleTimeZone, as in the job's JSON
	Message string // what is wrong with it, to follow the field's name
}

func (r *Refusal) Error() string { return r.Field + " " + r.Message }

func refuse(format string, args ...any) error {
	return &Refusal{Field: "schedule", Message: fmt.Sprintf(format, args...)}
}

// shorten quotes what a client sent, cut to a length that a person reads.
func shorten(s string) string {
	const most = 60
	if s = strings.ToValidUTF8(s, "?"); len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}

package plan

import (
	"fmt"
	"strings"
)

// waits says what is still missing, for people.
func (v *view) waits() string {
	var parts []string
	say := func(n int, one, many string) {
		switch {
		case n == 1:
			parts = append(parts, "1 instance "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d instances %s", n, many))
		}
	}
	say(v.unconfirmed, "of which the kernel has not told yet", "of which the kernel has not told yet")
	say(v.want.Instances-len(v.good), "to be launched", "to be launched")
	unwell := 0
	for _, i := range v.good {
		if !i.Ready && !i.Unconfirmed {
			unwell++
		}
	}
	say(unwell, "to become ready", "to become ready")
	say(len(v.old), "of an earlier version to be replaced", "of an earlier version to be replaced")
	say(len(v.ending), "to end", "to end")
	if len(parts) == 0 {
		return ""
	}
	return "waits for " + strings.Join(parts, ", ")
}

package allocator

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// The bounds of refuse_seconds, as in Mesos.
const (
	DefaultRefusal = 5 * time.Second
	MaxRefusal     = 365 * 24 * time.Hour
)

// RefusalOf is how long a framework wants not to see the same again: absent,
// negative or not a number means DefaultRefusal, and no more than MaxRefusal.
func RefusalOf(f *sdk.Filters) time.Duration {
	if f == nil || f.RefuseSeconds == nil || !(*f.RefuseSeconds >= 0) {
		return DefaultRefusal
	}
	if *f.RefuseSeconds >= MaxRefusal.Seconds() {
		return MaxRefusal
	}
	return time.Duration(*f.RefuseSeconds * float64(time.Second))
}

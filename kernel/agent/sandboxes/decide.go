package sandboxes

import (
	"slices"
	"time"
)

// Ended is a container whose directories may go.
type Ended struct {
	Container string
	Paths     []string // sandbox and logs
	At        time.Time
}

// Disk is how full a file system is.
type Disk struct {
	Bytes, BytesFree   uint64
	Inodes, InodesFree uint64 // zero where the file system does not count them
}

// Full is the part in use, of bytes or inodes, whichever is more.
func (d Disk) Full() float64 {
	full := 0.0
	if d.Bytes > 0 {
		full = 1 - float64(d.BytesFree)/float64(d.Bytes)
	}
	if d.Inodes > 0 {
		full = max(full, 1-float64(d.InodesFree)/float64(d.Inodes))
	}
	return full
}

// Policy says how long directories stay.
type Policy struct {
	Keep     time.Duration // at most so long
	Pressure float64       // part of bytes or inodes in use above which the oldest go sooner
}

// DefaultPolicy is that of the README's table: a day, or 90 %.
func DefaultPolicy() Policy { return Policy{Keep: 24 * time.Hour, Pressure: 0.9} }

// Expired are the containers whose time is over, the oldest first.
func (p Policy) Expired(now time.Time, ended []Ended) []Ended {
	var out []Ended
	for _, e := range oldestFirst(ended) {
		if now.Sub(e.At) >= p.Keep {
			out = append(out, e)
		}
	}
	return out
}

// Pressed tells whether the disk is so full that directories go before their time.
func (p Policy) Pressed(d Disk) bool { return d.Full() > p.Pressure }

// oldestFirst sorts a copy by end, and by name where two ended together.
func oldestFirst(ended []Ended) []Ended {
	out := slices.Clone(ended)
	slices.SortFunc(out, func(a, b Ended) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		if a.Container < b.Container {
			return -1
		}
		return 1
	})
	return out
}

// NextExpiry is when the first container's time is over; false when there is none.
func (p Policy) NextExpiry(ended []Ended) (time.Time, bool) {
	if len(ended) == 0 {
		return time.Time{}, false
	}
	return oldestFirst(ended)[0].At.Add(p.Keep), true
}

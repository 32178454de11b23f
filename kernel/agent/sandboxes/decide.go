package sandboxes

import "time"

// Ended is a container whose directories may go.
type Ended struct {
	Container string
	Paths     []string // sandbox and logs; empty ones are passed over
	At        time.Time
}

// Disk is how full a file system is. What only root may use counts as full.
type Disk struct {
	Bytes, BytesFree   uint64
	Inodes, InodesFree uint64 // zero where the file system does not count them
}

// Policy says how long directories stay.
type Policy struct {
	Keep     time.Duration // at most so long
	Pressure float64       // part of bytes or inodes in use above which the oldest go sooner
}

// Full says whether the disk is above the pressure, in bytes or in inodes.
func (p Policy) Full(d Disk) bool {
	return over(d.Bytes, d.BytesFree, p.Pressure) || over(d.Inodes, d.InodesFree, p.Pressure)
}

func over(total, free uint64, part float64) bool {
	return total > 0 && part > 0 && float64(total-min(free, total)) > part*float64(total)
}

// Decide says how many of the ended containers, which are given oldest first, go
// now: all that are too old, or, when the disk is full, at least some of the oldest.
// Their size is not known, so after that many the disk is to be measured again.
func (p Policy) Decide(now time.Time, ended []Ended, d Disk) int {
	n := 0
	for n < len(ended) && now.Sub(ended[n].At) >= p.Keep {
		n++
	}
	if n == 0 && p.Full(d) {
		// A sixteenth at a time: few measurements, and little goes needlessly.
		n = (len(ended) + 15) / 16
	}
	return n
}

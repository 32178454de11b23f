package sandboxes

import "time"

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

// Policy says how long directories stay.
type Policy struct {
	Keep     time.Duration // at most so long
	Pressure float64       // part of bytes or inodes in use above which the oldest go sooner
}

// DefaultPolicy is that of the README's table: a day, or 90 %.
func DefaultPolicy() Policy { return Policy{Keep: 24 * time.Hour, Pressure: 0.9} }

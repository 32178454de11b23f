package usage

import "time"

// Sample is what one container has used up to one moment. A number that no
// isolator knows is zero.
type Sample struct {
	CPU       time.Duration // processor time since the container began, user and system
	Throttled time.Duration // time that it wanted to run but its quota forbade
	Periods   uint64        // quota periods that have passed
	Throttles uint64        // those in which it was throttled

	Memory      uint64 // bytes charged to the container now, file cache included
	MemoryPeak  uint64 // highest value of Memory so far
	MemoryLimit uint64 // hard limit in bytes, 0 when there is none
	OOMKills    uint64 // processes that the kernel killed at the limit

	Threads      uint64 // threads alive; unreaped ones count too
	ThreadsLimit uint64 // 0 when there is none
}

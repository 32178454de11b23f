// Package sandboxes removes the directories of containers that have ended: a day
// after their end, or sooner, the oldest first, when the disk or its inodes run
// short.
//
// It owns the order and the moment of removal, never a directory of a container
// that lives: it knows only those that it is told have ended. The decision is a
// pure function; the Collector around it measures and removes. Concurrency: a
// Collector may be used by many goroutines.
package sandboxes

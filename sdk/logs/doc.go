// Package logs keeps the output of tasks: one directory per container, a series
// of files per stream, each named by the absolute offset of its first byte. A
// stream's offsets never restart, so a reader can say "from byte 31457280 on"
// whatever has been rotated away meanwhile.
//
// A Writer moves bytes from a FIFO to the end of the newest file with splice(2):
// no byte is ever only in this process, so a SIGKILL of it loses none. Nothing is
// renamed and nothing but the directory is a source of truth: whoever opens the
// stream next finds its end by looking.
//
// The package never decides who may read, and never starts a goroutine. A Writer
// or Reader belongs to one goroutine; two writers of one stream are a bug of the
// caller (sdk/executor's lock keeps them apart), any number of readers is fine.
package logs

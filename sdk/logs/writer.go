package logs

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Limits say how much of a stream is kept.
type Limits struct {
	Bytes int64 // of one file, before the next is begun
	Files int   // including the one being written
}

// DefaultLimits keep 3 files of 10 MiB.
func DefaultLimits() Limits { return Limits{Bytes: 10 << 20, Files: 3} }

// Writer appends to one stream. Nothing is opened or made before the first byte,
// so a silent task costs no file.
type Writer struct {
	dir, stream string
	limits      Limits
	fd          int   // -1 before the first byte
	base        int64 // absolute offset of the file's first byte
	size        int64
}

// NewWriter is a writer that goes on at the end of what is there. Limits that are
// zero or less are the default's.
func NewWriter(dir, stream string, limits Limits) *Writer {
	def := DefaultLimits()
	if limits.Bytes <= 0 {
		limits.Bytes = def.Bytes
	}
	if limits.Files <= 0 {
		limits.Files = def.Files
	}
	return &Writer{dir: dir, stream: stream, limits: limits, fd: -1}
}

// Splice moves at most limit bytes that wait in the FIFO to the end of the stream,
// without blocking for more. They are in the FIFO or in the file at every instant,
// never only in this process. unix.EAGAIN: the FIFO is empty. unix.ENOSPC: the
// disk is full; what was not moved is still in the FIFO.
func (w *Writer) Splice(fifo int, limit int) (moved int, err error) {
	for moved < limit {
		if err := w.ready(fifo); err != nil {
			return moved, err
		}
		room := min(int64(limit-moved), w.limits.Bytes-w.size)
		// The file's own position is its end, and moves along.
		n, err := unix.Splice(fifo, nil, w.fd, nil, int(room), unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return moved, err
		}
		if n == 0 {
			return moved, unix.EAGAIN // nobody has the FIFO open for writing
		}
		moved += int(n)
		w.size += n
	}
	return moved, nil
}

// ready makes sure that there is a file with room, but none without a byte for it.
func (w *Writer) ready(fifo int) error {
	if w.fd >= 0 && w.size < w.limits.Bytes {
		return nil
	}
	n, err := Waiting(fifo)
	if err != nil {
		return err
	}
	if n == 0 {
		return unix.EAGAIN
	}
	if w.fd < 0 {
		if err := w.open(); err != nil {
			return err
		}
	}
	if w.size < w.limits.Bytes {
		return nil
	}
	return w.next(w.base + w.size)
}

// Waiting is the number of bytes in an open FIFO.
func Waiting(fifo int) (int, error) { return unix.IoctlGetInt(fifo, unix.TIOCINQ) }

// open finds the end of the stream, whoever wrote it.
func (w *Writer) open() error {
	all, err := bases(w.dir, w.stream)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		if err := os.MkdirAll(w.dir, 0o700); err != nil {
			return cause(err)
		}
		return w.next(0)
	}
	w.base = all[len(all)-1]
	fd, err := unix.Open(fileName(w.dir, w.stream, w.base), unix.O_WRONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	if w.size, err = unix.Seek(fd, 0, unix.SEEK_END); err != nil {
		_ = unix.Close(fd)
		return err
	}
	w.fd = fd
	return nil
}

// next begins a new file at the absolute offset and drops the oldest beyond the
// limit.
func (w *Writer) next(base int64) error {
	fd, err := unix.Open(fileName(w.dir, w.stream, base), unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	w.Close()
	w.fd, w.base, w.size = fd, base, 0
	all, err := bases(w.dir, w.stream)
	if err != nil {
		return nil // the next rotation looks again
	}
	for i := 0; i < len(all)-w.limits.Files; i++ {
		_ = os.Remove(fileName(w.dir, w.stream, all[i]))
	}
	return nil
}

// Close releases the file; a later Splice opens it again.
func (w *Writer) Close() {
	if w.fd >= 0 {
		_ = unix.Close(w.fd)
		w.fd = -1
	}
}

func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Note adds a line of our own to the end of a stream that no writer has open, such
// as why the program could not be executed.
func Note(dir, stream, line string) error {
	w := NewWriter(dir, stream, Limits{})
	defer w.Close()
	if err := w.open(); err != nil {
		return err
	}
	_, err := unix.Write(w.fd, []byte(line+"\n"))
	return err
}

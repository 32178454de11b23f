package logs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Reader reads one stream by absolute offset across rotated files. It implements
// io.Reader: io.EOF means the end for now, a later Read may give more.
type Reader struct {
	dir, stream string
	offset      int64
	file        *os.File // nil: not looked for yet
	base        int64
	last        bool // file was the newest when it was opened
}

// NewReader makes a reader of the stream ("stdout", "stderr") in dir. An offset
// below what is still kept is moved up to it; a negative one counts from the end.
// A stream without any file yet is empty, not an error.
func NewReader(dir, stream string, offset int64) (*Reader, error) {
	start, end, err := Bounds(dir, stream)
	if err != nil {
		return nil, err
	}
	if offset < 0 {
		offset += end
	}
	return &Reader{dir: dir, stream: stream, offset: max(offset, start)}, nil
}

// Offset is the absolute offset of the next byte that Read gives.
func (r *Reader) Offset() int64 { return r.offset }

// Read gives the next bytes. When files were rotated away under it, it goes on
// with the oldest byte kept; Offset tells of the gap.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if r.file == nil {
			if err := r.open(); err != nil {
				return 0, err
			}
		}
		n, err := r.file.ReadAt(p, r.offset-r.base)
		if n > 0 {
			r.offset += int64(n)
			return n, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		// The end of this file. One that is not the newest is complete, but that was
		// to be known before its end was seen.
		all, err := bases(r.dir, r.stream)
		if err != nil {
			return 0, err
		}
		next := slices.IndexFunc(all, func(base int64) bool { return base > r.base })
		if next < 0 {
			return 0, io.EOF
		}
		if r.last {
			r.last = false // once more, for what was written before the rotation
			continue
		}
		_ = r.Close()
		r.offset = max(r.offset, all[next])
	}
}

// open finds the file that has the offset.
func (r *Reader) open() error {
	for {
		all, err := bases(r.dir, r.stream)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return io.EOF
		}
		i := len(all) - 1
		for i > 0 && all[i] > r.offset {
			i--
		}
		f, err := os.Open(fileName(r.dir, r.stream, all[i]))
		if errors.Is(err, fs.ErrNotExist) {
			continue // rotated away meanwhile
		}
		if err != nil {
			return err
		}
		r.file, r.base, r.last = f, all[i], i == len(all)-1
		r.offset = max(r.offset, r.base)
		return nil
	}
}

// Close releases the open file; a later Read opens it again.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

// followPause is how soon a follower sees new bytes.
const followPause = 50 * time.Millisecond

// Follow copies the stream to w from offset on, and waits for more until ctx ends
// or done (asked whenever the end is reached) answers true.
func Follow(ctx context.Context, w io.Writer, dir, stream string, offset int64, done func() bool) error {
	r, err := NewReader(dir, stream, offset)
	if err != nil {
		return err
	}
	defer r.Close()
	tick := time.NewTicker(followPause)
	defer tick.Stop()
	for buf := make([]byte, 64<<10); ; {
		last := done != nil && done() // asked before the look that it is about
		if err := copyAll(w, r, buf); err != nil || last {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func copyAll(w io.Writer, r *Reader, buf []byte) error {
	for {
		n, err := r.Read(buf)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
	}
}

// Pending is the number of bytes that the task has written to the stream's FIFO in
// runtimeDir and that are not yet in its files; 0 when the FIFO is gone.
func Pending(runtimeDir, stream string) (int, error) {
	fd, err := unix.Open(filepath.Join(runtimeDir, stream), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if errors.Is(err, unix.ENOENT) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	return Waiting(fd)
}

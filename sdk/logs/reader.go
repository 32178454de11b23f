package logs

import (
	"context"
	"io"
)

// Reader reads one stream by absolute offset across rotated files. It implements
// io.Reader: io.EOF means the end for now, a later Read may give more.
type Reader struct{}

// NewReader makes a reader of the stream ("stdout", "stderr") in dir. An offset
// below what is still kept is moved up to it; a negative one counts from the end.
// A stream without any file yet is empty, not an error.
func NewReader(dir, stream string, offset int64) (*Reader, error) { panic("soon") }

// Offset is the absolute offset of the next byte that Read gives.
func (r *Reader) Offset() int64 { panic("soon") }

// Read gives the next bytes. When files were rotated away under it, it goes on
// with the oldest byte kept; Offset tells of the gap.
func (r *Reader) Read(p []byte) (int, error) { panic("soon") }

// Close releases the open file.
func (r *Reader) Close() error { panic("soon") }

// Bounds tells the absolute offsets of the oldest byte kept and of the end.
func Bounds(dir, stream string) (start, end int64, err error) { panic("soon") }

// Follow copies the stream to w from offset on, and waits for more until ctx ends
// or done (asked whenever the end is reached) answers true.
func Follow(ctx context.Context, w io.Writer, dir, stream string, offset int64, done func() bool) error {
	panic("soon")
}

// Pending is the number of bytes that the task has written to the stream's FIFO in
// runtimeDir and that are not yet in its files; 0 when the FIFO is gone.
func Pending(runtimeDir, stream string) (int, error) { panic("soon") }

package disk

import (
	"errors"
	"os"
)

// change is what stood somewhere before a write.
type change struct {
	at     int64
	length int64
	old    []byte
	size   int64 // of the file before
	cut    bool  // it was a new length, not a write
	holes  []hole
}

// hole is a part of a write that a failed fsync has dropped: the system takes it for
// written, and no later fsync writes it.
type hole struct{ from, to int64 }

// before reads what a write of so many bytes, or a new length, is about to replace.
func before(f *os.File, at, length int64, cut bool) (change, error) {
	info, err := f.Stat()
	if err != nil {
		return change{}, err
	}
	c := change{at: at, length: length, size: info.Size(), cut: cut}
	rest := c.size - at
	if !cut {
		rest = min(rest, length)
	}
	if rest > 0 {
		c.old = make([]byte, rest)
		_, err = f.ReadAt(c.old, at)
	}
	return c, err
}

// undo brings it back, with the length that the file had.
func (c *change) undo(f *os.File) error {
	_, err := f.WriteAt(c.old, c.at)
	return errors.Join(err, f.Truncate(c.size))
}

// drop is a fsync that fails.
func (c *change) drop() {
	if !c.cut {
		c.holes = []hole{{c.at, c.at + c.length}}
	}
}

// written fills the holes where there is another write.
func (c *change) written(from, to int64) {
	var left []hole
	for _, h := range c.holes {
		if end := min(h.to, from); h.from < end {
			left = append(left, hole{h.from, end})
		}
		if start := max(h.from, to); start < h.to {
			left = append(left, hole{start, h.to})
		}
	}
	c.holes = left
}

// punch brings back what is in the holes, as far as the file is long: zeros where there was
// nothing.
func (c *change) punch(f *os.File) error {
	info, err := f.Stat()
	for _, h := range c.holes {
		to := min(h.to, info.Size())
		if err != nil || h.from >= to {
			continue
		}
		text := make([]byte, to-h.from)
		if skip := h.from - c.at; skip < int64(len(c.old)) {
			copy(text, c.old[skip:])
		}
		_, err = f.WriteAt(text, h.from)
	}
	return err
}

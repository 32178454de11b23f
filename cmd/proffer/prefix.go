package main

import (
	"bytes"
	"io"
	"sync"
)

// prefixWriter writes whole lines, each after a prefix. Several share one lock and one
// destination.
type prefixWriter struct {
	prefix string
	mu     *sync.Mutex
	to     io.Writer
	rest   []byte // of a line that has not ended
}

// maxLine bounds a line, in bytes; a longer one is broken.
const maxLine = 64 << 10

// Write writes the lines that are whole.
func (w *prefixWriter) Write(data []byte) (int, error) {
	w.rest = append(w.rest, data...)
	end := bytes.LastIndexByte(w.rest, '\n') + 1
	if end == 0 && len(w.rest) < maxLine {
		return len(data), nil
	}
	if end == 0 {
		w.rest, end = append(w.rest, '\n'), len(w.rest)+1
	}
	var out []byte
	for line := range bytes.Lines(w.rest[:end]) {
		out = append(append(out, w.prefix...), line...)
	}
	w.rest = append(w.rest[:0], w.rest[end:]...)
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.to.Write(out); err != nil {
		return 0, err
	}
	return len(data), nil
}

// flush writes a last line that has no end.
func (w *prefixWriter) flush() {
	if len(w.rest) > 0 {
		_, _ = w.Write([]byte("\n"))
	}
}

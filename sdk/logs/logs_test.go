package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// fifo makes a FIFO and opens both ends.
func fifo(t testing.TB) (write *os.File, read int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stdout")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	write, err = os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = write.Close()
		_ = unix.Close(read)
	})
	return write, read
}

func readAll(t testing.TB, dir string, from int64) string {
	t.Helper()
	r, err := NewReader(dir, "stdout", from)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Whatever is written in whatever pieces, with writers that end and begin anew: the
// files together are the end of it, and each offset is where it was.
func TestRotationKeepsOffsets(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		in, out := fifo(t)
		limits := Limits{Bytes: rapid.Int64Range(1, 40).Draw(rt, "bytes"), Files: rapid.IntRange(1, 4).Draw(rt, "files")}
		w := NewWriter(dir, "stdout", limits)
		defer func() { w.Close() }()
		var all []byte
		for i := range rapid.IntRange(0, 8).Draw(rt, "pieces") {
			piece := bytes.Repeat([]byte{byte('a' + i)}, rapid.IntRange(0, 60).Draw(rt, "piece"))
			all = append(all, piece...)
			if _, err := in.Write(piece); err != nil {
				rt.Fatal(err)
			}
			if n, err := w.Splice(out, 1<<20); !errors.Is(err, unix.EAGAIN) || n != len(piece) {
				rt.Fatalf("%d of %d bytes moved, %v", n, len(piece), err)
			}
			if rapid.Bool().Draw(rt, "successor") {
				w.Close()
				w = NewWriter(dir, "stdout", limits)
			}
			start, end, err := Bounds(dir, "stdout")
			if err != nil || end != int64(len(all)) || end-start > limits.Bytes*int64(limits.Files) {
				rt.Fatalf("kept are %d to %d of %d, %v", start, end, len(all), err)
			}
			if min := min(end, limits.Bytes*int64(limits.Files-1)); end-start < min {
				rt.Fatalf("kept are %d bytes, want at least %d", end-start, min)
			}
			from := rapid.Int64Range(0, end).Draw(rt, "from")
			if got, want := readAll(t, dir, from), all[max(from, start):]; got != string(want) {
				rt.Fatalf("from %d: %q, want %q", from, got, want)
			}
		}
	})
}

func TestReaderFollowsRotation(t *testing.T) {
	dir := t.TempDir()
	in, out := fifo(t)
	w := NewWriter(dir, "stdout", Limits{Bytes: 10, Files: 3})
	defer w.Close()
	r, err := NewReader(dir, "stdout", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	buf := make([]byte, 7)
	if _, err := r.Read(buf); !errors.Is(err, io.EOF) {
		t.Fatalf("an empty stream reads as %v", err)
	}
	var got, want []byte
	for i := range 20 {
		piece := []byte(strings.Repeat(string(rune('a'+i)), i%13))
		want = append(want, piece...)
		_, _ = in.Write(piece)
		if _, err := w.Splice(out, 1<<20); !errors.Is(err, unix.EAGAIN) {
			t.Fatal(err)
		}
		for {
			n, err := r.Read(buf)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, buf[:n]...)
		}
		if !bytes.Equal(got, want) || r.Offset() != int64(len(want)) {
			t.Fatalf("read %q at %d, want %q", got, r.Offset(), want)
		}
	}
	// A reader that was away for too long goes on with the oldest that is kept.
	late, err := NewReader(dir, "stdout", 0)
	if err != nil {
		t.Fatal(err)
	}
	start, _, _ := Bounds(dir, "stdout")
	if late.Offset() != start || start == 0 {
		t.Errorf("a late reader begins at %d, kept is from %d", late.Offset(), start)
	}
	if tail := readAll(t, dir, -5); tail != string(want[len(want)-5:]) {
		t.Errorf("the last five bytes are %q", tail)
	}
}

func TestSilentTaskCostsNoFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	_, out := fifo(t)
	w := NewWriter(dir, "stdout", Limits{})
	if _, err := w.Splice(out, 1<<20); !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory was made for nothing: %v", err)
	}
}

func TestFollowEndsWhenDone(t *testing.T) {
	dir := t.TempDir()
	in, out := fifo(t)
	w := NewWriter(dir, "stdout", Limits{Bytes: 10, Files: 100})
	defer w.Close()
	asked := 0
	var got bytes.Buffer
	err := Follow(context.Background(), &got, dir, "stdout", 0, func() bool {
		asked++
		fmt.Fprintf(in, "line %d\n", asked)
		if _, err := w.Splice(out, 1<<20); !errors.Is(err, unix.EAGAIN) {
			t.Error(err)
		}
		return asked == 3
	})
	if err != nil || got.String() != "line 1\nline 2\nline 3\n" {
		t.Errorf("%q, %v", got.String(), err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := Follow(ctx, io.Discard, dir, "stdout", 0, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("follow ends with %v", err)
	}
}

func TestNoteAndPending(t *testing.T) {
	dir := t.TempDir()
	if err := Note(dir, "stdout", "why"); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, dir, 0); got != "why\n" {
		t.Errorf("%q", got)
	}
	in, _ := fifo(t)
	_, _ = in.WriteString("abc")
	if n, err := Pending(filepath.Dir(in.Name()), "stdout"); n != 3 || err != nil {
		t.Errorf("%d bytes pending, %v", n, err)
	}
	if n, err := Pending(t.TempDir(), "stdout"); n != 0 || err != nil {
		t.Errorf("%d bytes pending where there is no FIFO, %v", n, err)
	}
}

package sandboxes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestFullCountsBytesAndInodes(t *testing.T) {
	for _, row := range []struct {
		d    Disk
		want float64
	}{
		{Disk{Bytes: 100, BytesFree: 40}, 0.6},
		{Disk{Bytes: 100, BytesFree: 40, Inodes: 10, InodesFree: 1}, 0.9},
		{Disk{Inodes: 0, Bytes: 0}, 0},
	} {
		if got := row.d.Full(); got < row.want-1e-9 || got > row.want+1e-9 {
			t.Errorf("%+v is %v full, not %v", row.d, got, row.want)
		}
	}
}

func TestExpiredAfterADay(t *testing.T) {
	ended := []Ended{{Container: "b", At: start.Add(time.Hour)}, {Container: "a", At: start}, {Container: "c", At: start}}
	var names []string
	for _, e := range DefaultPolicy().Expired(start.Add(24*time.Hour), ended) {
		names = append(names, e.Container)
	}
	if !slices.Equal(names, []string{"a", "c"}) {
		t.Errorf("after a day %v go, not a and c", names)
	}
	if at, ok := DefaultPolicy().NextExpiry(ended); !ok || !at.Equal(start.Add(24*time.Hour)) {
		t.Errorf("the next goes at %v, %v", at, ok)
	}
}

// TestPressure: the oldest go one by one until there is room, and no more than that.
func TestPressure(t *testing.T) {
	c := NewCollector(DefaultPolicy(), "/")
	free := uint64(3)
	c.measure = func(string) (Disk, error) { return Disk{Bytes: 100, BytesFree: free}, nil }
	var gone []string
	c.remove = func(p string) error { gone = append(gone, p); free += 4; return nil }
	for i := range 5 {
		c.Add(Ended{Container: fmt.Sprint(i), Paths: []string{fmt.Sprintf("/s%d", i)}, At: start.Add(time.Duration(5-i) * time.Minute)})
	}
	removed, err := c.Collect(start.Add(time.Hour))
	if err != nil || !slices.Equal(removed, []string{"4", "3"}) || !slices.Equal(gone, []string{"/s4", "/s3"}) || c.Len() != 3 {
		t.Errorf("removed %v (%v), %d left, %v", removed, gone, c.Len(), err)
	}
}

// TestFailureIsTriedAgain: what could not be removed is told and stays on the list.
func TestFailureIsTriedAgain(t *testing.T) {
	c := NewCollector(Policy{Keep: time.Minute, Pressure: 1}, "/")
	fail := true
	c.remove = func(p string) error {
		if fail && p == "/bad" {
			return errors.New("busy")
		}
		return nil
	}
	c.Add(Ended{Container: "bad", Paths: []string{"/bad"}, At: start})
	c.Add(Ended{Container: "good", Paths: []string{"/good"}, At: start})
	if removed, err := c.Collect(start.Add(time.Hour)); err == nil || !slices.Equal(removed, []string{"good"}) {
		t.Errorf("got %v, %v", removed, err)
	}
	fail = false
	if removed, err := c.Collect(start.Add(time.Hour)); err != nil || !slices.Equal(removed, []string{"bad"}) || c.Len() != 0 {
		t.Errorf("the second time: %v, %v", removed, err)
	}
}

func TestRealDirectories(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	if err := os.MkdirAll(filepath.Join(dir, "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := NewCollector(Policy{Keep: 0, Pressure: 1}, t.TempDir())
	c.Add(Ended{Container: "x", Paths: []string{dir, dir + "-never-was"}, At: start})
	if removed, err := c.Collect(start); err != nil || len(removed) != 1 {
		t.Fatalf("got %v, %v", removed, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	if d, err := Measure(t.TempDir()); err != nil || d.Bytes == 0 || d.BytesFree > d.Bytes {
		t.Errorf("got %+v, %v", d, err)
	}
}

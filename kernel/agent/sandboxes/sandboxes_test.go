package sandboxes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func day(hours int) time.Time {
	return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(hours) * time.Hour)
}

func TestDecide(t *testing.T) {
	roomy := Disk{Bytes: 100, BytesFree: 50, Inodes: 100, InodesFree: 50}
	ended := func(hours ...int) (out []Ended) {
		for _, h := range hours {
			out = append(out, Ended{At: day(h)})
		}
		return out
	}
	for _, tt := range []struct {
		name  string
		ended []Ended
		disk  Disk
		want  int
	}{
		{"nothing has ended", nil, roomy, 0},
		{"all young", ended(10, 20), roomy, 0},
		{"a day exactly", ended(6, 7), roomy, 1},
		{"two old", ended(1, 2, 29), roomy, 2},
		{"disk full", ended(10, 20), Disk{Bytes: 100, BytesFree: 9}, 1},
		{"disk at the mark", ended(10, 20), Disk{Bytes: 100, BytesFree: 10}, 0},
		{"inodes full", ended(10, 20), Disk{Bytes: 100, BytesFree: 90, Inodes: 100, InodesFree: 1}, 1},
		{"no inodes counted", ended(10), Disk{Bytes: 100, BytesFree: 90}, 0},
		{"more free than there is", ended(10), Disk{Bytes: 100, BytesFree: 200}, 0},
	} {
		if got := aDay.Decide(day(30), tt.ended, tt.disk); got != tt.want {
			t.Errorf("%s: %d go, want %d", tt.name, got, tt.want)
		}
	}
}

// aDay is the agent's default.
var aDay = Policy{Keep: 24 * time.Hour, Pressure: 0.9}

// TestDecideAgainstTwin: whatever goes is a prefix, everything too old goes, and
// nothing young goes while there is room.
func TestDecideAgainstTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hours := rapid.SliceOfN(rapid.IntRange(0, 60), 0, 50).Draw(t, "hours")
		slices.Sort(hours)
		var ended []Ended
		old := 0
		for _, h := range hours {
			ended = append(ended, Ended{At: day(h)})
			if h <= 60-24 {
				old++
			}
		}
		d := Disk{Bytes: 1000, BytesFree: rapid.Uint64Range(0, 1000).Draw(t, "free")}
		got := aDay.Decide(day(60), ended, d)
		full := d.BytesFree < 100
		switch {
		case got < old || got > len(ended):
			t.Fatalf("%d of %d go, %d are old", got, len(ended), old)
		case !full && got != old:
			t.Fatalf("%d go with room, %d are old", got, old)
		case full && len(ended) > 0 && got == 0:
			t.Fatal("nothing goes from a full disk")
		}
	})
}

// TestASmallDiskRunsOn is an agent on a disk of 10 MB whose 10,000 tasks leave
// 100 KB each: it never gets full, and the newest are still there.
func TestASmallDiskRunsOn(t *testing.T) {
	const size, each = 10 << 20, 100 << 10
	used := map[string]uint64{}
	var total uint64
	c := NewCollector(aDay, "/")
	c.measure = func() (Disk, error) { return Disk{Bytes: size, BytesFree: size - total}, nil }
	c.remove = func(p string) error { total -= used[p]; delete(used, p); return nil }
	for n := range 10_000 {
		name := fmt.Sprint("task-", n)
		used[name], total = each, total+each
		if total > size {
			t.Fatalf("the disk is full at task %d", n)
		}
		c.Add(Ended{Container: name, Paths: []string{name}, At: day(0).Add(time.Duration(n))})
		if c.Full() {
			if _, err := c.Collect(day(1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := 9_990; n < 10_000; n++ {
		if used[fmt.Sprint("task-", n)] == 0 {
			t.Errorf("task %d, one of the last, is gone", n)
		}
	}
	if len(used) != c.Len() || len(used) < 80 {
		t.Errorf("%d directories, %d on the list", len(used), c.Len())
	}
}

func TestCollectRemovesOldestFirstAndGoesOn(t *testing.T) {
	dir := t.TempDir()
	c := NewCollector(Policy{Keep: time.Hour}, dir)
	stubborn := filepath.Join(dir, "b")
	c.remove = func(p string) error {
		if p == stubborn {
			return syscall.EBUSY
		}
		return os.RemoveAll(p)
	}
	for n, name := range []string{"c", "a", "b", "young"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Join(path, "below"), 0o700); err != nil {
			t.Fatal(err)
		}
		c.Add(Ended{Container: name, Paths: []string{path, ""}, At: day([]int{3, 1, 2, 10}[n])})
	}
	removed, err := c.Collect(day(10))
	if strings.Join(removed, " ") != "a c" || !errors.Is(err, syscall.EBUSY) || !strings.Contains(err.Error(), "container b") {
		t.Errorf("removed %v, %v", removed, err)
	}
	c.remove = os.RemoveAll
	if removed, err = c.Collect(day(10)); strings.Join(removed, " ") != "b" || err != nil {
		t.Errorf("the second time: %v, %v", removed, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 || left[0].Name() != "young" {
		t.Errorf("left: %v", left)
	}
}

func TestMeasureThisDisk(t *testing.T) {
	d, err := Measure(t.TempDir())
	if err != nil || d.Bytes == 0 || d.BytesFree > d.Bytes {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := Measure("/no/such/place"); err == nil {
		t.Error("a disk that is not there was measured")
	}
}

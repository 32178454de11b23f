package schedule

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestZoneTables holds zoneTable against archive/zip, and has every zone read.
func TestZoneTables(t *testing.T) {
	r, err := zip.NewReader(strings.NewReader(zoneArchive), int64(len(zoneArchive)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		file, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(file)
		if got, ok := zoneTable(zoneArchive, f.Name); err != nil || !ok || got != string(want) {
			t.Fatalf("%s has %d bytes, not %d (%v)", f.Name, len(got), len(want), err)
		}
		if in, err := Zone(f.Name); err != nil || in == nil {
			t.Errorf("%s is no zone: %v", f.Name, err)
		}
	}
	if len(r.File) < 590 {
		t.Errorf("%d zones", len(r.File))
	}
	for _, name := range []string{"Europe", "Europe/", "Europe/Berli", "europe/berlin", "", ".", "../zoneinfo/Europe/Berlin"} {
		if _, ok := zoneTable(zoneArchive, name); ok {
			t.Errorf("there is a zone %q", name)
		}
	}
	if !regexp.MustCompile(`^20\d\d[a-z]$`).MatchString(ZoneVersion()) {
		t.Errorf("the version is %q", ZoneVersion())
	}
}

// TestZonesAreTheProgramsOwn: a host's zone data say nothing.
func TestZonesAreTheProgramsOwn(t *testing.T) {
	t.Setenv("ZONEINFO", writeZones(t, "Europe/Berlin", "Mars/Phobos"))
	for _, name := range []string{"Europe/Berlin", "Mars/Phobos"} { // the host's are in use where they can be
		if in, err := time.LoadLocation(name); err != nil || winterOffset(in) != 5*3600+30*60 {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if in, err := Zone("Europe/Berlin"); err != nil || winterOffset(in) != 3600 {
		t.Errorf("Berlin is not its own: %v %v", in, err)
	}
	if in, err := Zone("Mars/Phobos"); err == nil {
		t.Errorf("%v is known", in)
	}
}

func winterOffset(in *time.Location) int {
	_, off := time.Date(2026, 1, 1, 0, 0, 0, 0, in).Zone()
	return off
}

// writeZones makes a folder of zone data in which each of the names is as Kolkata is.
func writeZones(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	table, _ := zoneTable(zoneArchive, "Asia/Kolkata")
	for _, name := range names {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

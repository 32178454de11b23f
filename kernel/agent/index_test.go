package agent

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/sdk"
)

// TestDamagedIndex (F11): whatever becomes of the list of ended containers, the agent goes on
// with the rest of it, and names the file.
func TestDamagedIndex(t *testing.T) {
	open := func(t *testing.T, path string, log *bytes.Buffer) *index {
		t.Helper()
		x, err := openIndex(path, slog.New(slog.NewTextHandler(log, nil)), func(string) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = x.close() })
		return x
	}
	for name, c := range map[string]struct {
		damage func(path string, text []byte) error
		found  string // of the tasks 1, 2 and 3
		quiet  bool
	}{
		"whole": {func(string, []byte) error { return nil }, "123", true},
		"of an older release": {func(path string, text []byte) error {
			return os.WriteFile(path, []byte("c1\tf\t\tt1\nc2\tf\t\tt2\nc3\tf\t\tt3\n"), 0o600)
		}, "123", true},
		"cut off":          {func(path string, text []byte) error { return os.Truncate(path, int64(len(text)-12)) }, "12", false},
		"one byte flipped": {func(path string, text []byte) error { text[len(text)/2] ^= 1; return os.WriteFile(path, text, 0o600) }, "13", false},
		"no text":          {func(path string, text []byte) error { return os.WriteFile(path, make([]byte, 1<<20), 0o600) }, "", false},
		"a directory":      {func(path string, _ []byte) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			path := indexPath(t.TempDir())
			var log bytes.Buffer
			x := open(t, path, &log)
			for _, n := range []string{"1", "2", "3"} {
				if err := x.add(&box{c: &isolator.Container{ID: "c" + n, FrameworkID: "f", TaskID: sdk.TaskID("t" + n)}}); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.damage(path, text); err != nil {
				t.Fatal(err)
			}
			for range 2 { // and what is left is written anew
				x = open(t, path, &log)
				found := ""
				for _, n := range []string{"1", "2", "3"} {
					if x.task("f", sdk.TaskID("t"+n)) == "c"+n {
						found += n
					}
				}
				if found != c.found {
					t.Errorf("found the tasks %q, want %q", found, c.found)
				}
			}
			if said := strings.Count(log.String(), path+" "); c.quiet != (log.Len() == 0) || !c.quiet && said != 1 {
				t.Errorf("it said: %s", log.String())
			}
		})
	}
}

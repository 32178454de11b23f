package executor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// TestDamagedRecords (F11): a launch record that can not be read is never taken for a launch
// that was not begun, and names itself; the second launch is refused by it all the same.
func TestDamagedRecords(t *testing.T) {
	begun := func(t *testing.T) (s *sdk.LaunchSpec, path string, text []byte) {
		t.Helper()
		s = &sdk.LaunchSpec{ContainerID: "c", FrameworkID: "f", TaskID: "t", RuntimeDir: t.TempDir()}
		m, err := createMarker(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.name(sdk.Process{PID: 4711, StartTime: 12}); err != nil {
			t.Fatal(err)
		}
		m.close()
		path = filepath.Join(s.RuntimeDir, markerFile)
		if text, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
		return s, path, text
	}
	for name, damage := range map[string]func(path string, text []byte) error{
		"empty":          func(path string, _ []byte) error { return os.Truncate(path, 0) },
		"head cut off":   func(path string, _ []byte) error { return os.Truncate(path, headSize/2) },
		"spec cut off":   func(path string, text []byte) error { return os.Truncate(path, int64(len(text)-1)) },
		"magic flipped":  func(path string, text []byte) error { text[0] ^= 4; return os.WriteFile(path, text, 0o600) },
		"length flipped": func(path string, text []byte) error { text[offSpec] ^= 4; return os.WriteFile(path, text, 0o600) },
		"spec flipped":   func(path string, text []byte) error { text[headSize+9] ^= 4; return os.WriteFile(path, text, 0o600) },
		"a directory":    func(path string, _ []byte) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"no byte is left": func(path string, text []byte) error {
			return os.WriteFile(path, []byte(strings.Repeat("\x00", len(text))), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, path, text := begun(t)
			if err := damage(path, text); err != nil {
				t.Fatal(err)
			}
			_, err := ReadRecord(s.RuntimeDir)
			if err == nil || sdk.CodeOf(err) == sdk.CodeNotFound || !strings.Contains(err.Error(), path) {
				t.Errorf("read: %v", err)
			}
			if _, _, err := Adopt(s.RuntimeDir); err == nil || sdk.CodeOf(err) == sdk.CodeNotFound {
				t.Errorf("adopt: %v", err)
			}
			if _, err := createMarker(s); sdk.CodeOf(err) != sdk.CodeConflict {
				t.Errorf("it is launched again: %v", err)
			}
		})
	}
	// Each single byte: the launch stays a launch.
	s, path, text := begun(t)
	for i := range text {
		text[i] ^= 0x20
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRecord(s.RuntimeDir); sdk.CodeOf(err) == sdk.CodeNotFound {
			t.Errorf("byte %d: %v", i, err)
		}
		text[i] ^= 0x20
	}
}

// TestUnreadableExitLog: one log that is none hides nothing that another has.
func TestUnreadableExitLog(t *testing.T) {
	dir := t.TempDir()
	l, err := openExitLog(dir, "b")
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	p := sdk.Process{PID: 7, StartTime: 8, BootID: "boot"}
	if err := l.append(Exit{Process: p, WaitStatus: 256, Nanos: 9}); err != nil {
		t.Fatal(err)
	}
	obstacle := filepath.Join(dir, exitsDir, "a")
	if err := os.Mkdir(obstacle, 0o700); err != nil {
		t.Fatal(err)
	}
	if e, ok, err := searchExits(dir, p); !ok || err != nil || e.WaitStatus != 256 {
		t.Errorf("found %+v %v: %v", e, ok, err)
	}
	p.PID = 9
	if _, ok, err := searchExits(dir, p); ok || err == nil || !strings.Contains(err.Error(), obstacle) {
		t.Errorf("of another process: %v, %v", ok, err)
	}
}

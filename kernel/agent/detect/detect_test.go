package detect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// machine writes a small /proc.
func machine(t *testing.T, cpus int, memKB string) string {
	t.Helper()
	dir := t.TempDir()
	stat := "cpu  1 2 3 4 5 6 7 8 9 10\n"
	for n := range cpus {
		stat += "cpu" + string(rune('0'+n)) + " 1 2 3 4 5 6 7 8 9 10\n"
	}
	for name, text := range map[string]string{
		"stat": stat, "meminfo": "MemTotal: " + memKB + " kB\nMemFree: 1 kB\n", "sys/kernel/osrelease": "6.1.0-9\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDetectTakesTheOverheadOff(t *testing.T) {
	for _, tt := range []struct {
		cpus      int
		mem       string
		want      string // cpus mem
		wantSpare string
	}{
		{4, "8388608", "cpus:3.9;mem:7936", "cpus:0.1;mem:256"},
		{2, "1048576", "cpus:1.9;mem:768", "cpus:0.1;mem:256"},
		{1, "524288", "cpus:0.9;mem:384", "cpus:0.1;mem:128"},
	} {
		m, err := Detect(Options{Proc: machine(t, tt.cpus, tt.mem), WorkDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if got := append(m.Resources.Named("cpus"), m.Resources.Named("mem")...).String(); got != tt.want {
			t.Errorf("%+v: offers %s", tt, got)
		}
		if got := append(m.Overhead.Named("cpus"), m.Overhead.Named("mem")...).String(); got != tt.wantSpare {
			t.Errorf("%+v: keeps %s", tt, got)
		}
		if m.Resources.Scalar("disk") <= 0 || m.Resources.Named("ports").String() != "ports:[31000-32000]" {
			t.Errorf("%s", m.Resources)
		}
	}
}

func TestDetectThisMachine(t *testing.T) {
	m, err := Detect(Options{WorkDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Resources.Validate("resources"); err != nil {
		t.Error(err)
	}
	names := map[string]string{}
	for _, a := range m.Attributes {
		names[a.Name] = a.Text.Value
	}
	if names["os"] != "linux" || names["arch"] == "" || !strings.Contains(names["kernel"], ".") {
		t.Errorf("%v", names)
	}
}

func TestDetectSaysWhatIsMissing(t *testing.T) {
	if _, err := Detect(Options{Proc: machine(t, 0, "1"), WorkDir: t.TempDir()}); sdk.CodeOf(err) != sdk.CodeUnavailable {
		t.Errorf("no processors: %v", err)
	}
	if _, err := Detect(Options{WorkDir: "/no/such/place"}); err == nil || !strings.Contains(err.Error(), "/no/such/place") {
		t.Errorf("no work directory: %v", err)
	}
}

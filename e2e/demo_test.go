package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// demo plays the tour with the binaries of this test, and more environment.
func demo(t *testing.T, env ...string) (string, string, error) {
	t.Helper()
	root := t.TempDir()
	if err := os.Symlink(binaries, filepath.Join(root, "bin")); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(root, "demo")
	if out, err := exec.Command("go", "build", "-o", program, "./demo").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	source, err := filepath.Abs("../configs/examples")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Dir = root
	cmd.Env = append(append(os.Environ(), "PROFFER_EXAMPLES="+source), env...)
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	err = cmd.Run()
	return out.String(), talk.String(), err
}

// TestDemo: the tour happens, within its bound of two minutes.
func TestDemo(t *testing.T) {
	out, talk, err := demo(t)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, talk)
	}
	t.Log("\n" + out)
}

// TestDemoNoticesAWrongCount: a count that is broken on purpose fails the demo, with a
// sentence that says which step did not happen.
func TestDemoNoticesAWrongCount(t *testing.T) {
	out, talk, err := demo(t, "PROFFER_DEMO_ONLY=wordcount", "WORDCOUNT_BREAK=1")
	if err == nil || !strings.Contains(talk, "did not happen") || !strings.Contains(talk, "word count") {
		t.Errorf("a broken count: %v\n%s%s", err, out, talk)
	}
}

// TestDemoNoticesWrongJobs: a reducer that adds wrongly fails the demo, and says where.
func TestDemoNoticesWrongJobs(t *testing.T) {
	examples, source := t.TempDir(), "../configs/examples/jobs/wordcount/"
	dir := filepath.Join(examples, "jobs", "wordcount")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	script := strings.Replace(read(t, source+"words.sh"), "{ n += $2 }", "{ n += $2 + 1 }", 1)
	for name, text := range map[string]string{"words.sh": script, "wordcount.yaml": read(t, source+"wordcount.yaml")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, talk, err := demo(t, "PROFFER_DEMO_ONLY=jobs", "PROFFER_EXAMPLES="+examples)
	if err == nil || !strings.Contains(talk, "did not happen") || !strings.Contains(talk, "is not that of a direct count") {
		t.Errorf("a broken count: %v\n%s%s", err, out, talk)
	}
}

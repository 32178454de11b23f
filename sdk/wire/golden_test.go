package wire

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "make the golden bytes anew; needs protoc")

// TestGolden compares what we write in protobuf with what protoc writes for the
// same message, byte for byte, and reads it. The bytes are committed; with -update
// protoc makes them anew, from .proto files that are written from Mesos's fields
// and from our values in text format.
func TestGolden(t *testing.T) {
	samples := goldenSamples()
	if *update {
		remakeGolden(t, samples)
	}
	for _, s := range samples {
		golden, err := os.ReadFile("testdata/golden/" + s.name + ".pb")
		if err != nil {
			t.Fatal(err)
		}
		got, err := Marshal(Protobuf, s.v)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if !bytes.Equal(got, golden) {
			t.Errorf("%s: other bytes than protoc's\n got %x\nwant %x", s.name, got, golden)
		}
		back := s.new()
		if err := Unmarshal(Protobuf, golden, back); err != nil {
			t.Errorf("%s: %v", s.name, err)
		} else if d := cmp.Diff(s.v, deref1(back)); d != "" {
			t.Errorf("%s: read differently: %s", s.name, d)
		}
	}
	files, _ := filepath.Glob("testdata/golden/*.pb")
	if len(files) != len(samples) {
		t.Errorf("%d golden files for %d samples", len(files), len(samples))
	}
}

func remakeGolden(t *testing.T, samples []sample) {
	t.Helper()
	protoc, err := exec.LookPath("protoc")
	if err != nil {
		t.Fatalf("-update needs protoc (Debian: protobuf-compiler): %v", err)
	}
	dir := t.TempDir()
	for name, text := range readProtocol(t).protoFiles() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll("testdata/golden"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("testdata/golden", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		cmd := exec.Command(protoc, "--deterministic_output", "--encode="+s.typ, "-I"+dir, "scheduler.proto", "executor.proto")
		cmd.Stdin = strings.NewReader(textFormat(s.v))
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", s.name, err, &stderr)
		}
		if err := os.WriteFile("testdata/golden/"+s.name+".pb", out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

package app

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestExamplesLoad reads every app of the examples, with a path for the binary.
func TestExamplesLoad(t *testing.T) {
	files, err := filepath.Glob("../../configs/examples/apps/*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no examples: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(bytes.ReplaceAll(text, []byte("@WEB@"), []byte("/srv/web"))); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

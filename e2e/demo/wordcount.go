package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// source is where the word count lives; a test may say it otherwise.
func source() string {
	if dir := os.Getenv("PROFFER_WORDCOUNT"); dir != "" {
		return dir
	}
	return filepath.Join("configs", "examples", "frameworks", "wordcount")
}

func (t *tour) wordcountProgram() string { return filepath.Join(t.dir, "wordcount") }

// buildWordcount builds the framework as a third party would, in its own module. How long
// that takes is the compiler's affair: a cold cache takes minutes.
func (t *tour) buildWordcount(ctx context.Context) error {
	build := exec.CommandContext(ctx, "go", "build", "-o", t.wordcountProgram(), ".")
	build.Dir = source()
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// wordcount lets the cluster run it with a framework's credentials.
func (t *tour) wordcount(ctx context.Context) error {
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	args := []string{"run", "--framework", "wordcount", "--mem", "512"}
	if v := os.Getenv("WORDCOUNT_BREAK"); v != "" {
		args = append(args, "--env", "WORDCOUNT_BREAK="+v)
	}
	args = append(args, "--", t.wordcountProgram(), "-goroot", strings.TrimSpace(string(goroot)))
	out, code, err := t.run(ctx, args...)
	if err == nil && code != 0 {
		err = fmt.Errorf("exit code %d:\n%s", code, out)
	}
	return err
}

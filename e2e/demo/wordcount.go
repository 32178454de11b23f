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

// wordcount builds the framework as a third party would, in its own module, and lets the
// cluster run it with a framework's credentials.
func (t *tour) wordcount(ctx context.Context) error {
	program := filepath.Join(t.dir, "wordcount")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Dir = source()
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build it: %w: %s", err, out)
	}
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	args := []string{"run", "--framework", "wordcount", "--mem", "512"}
	if v := os.Getenv("WORDCOUNT_BREAK"); v != "" {
		args = append(args, "--env", "WORDCOUNT_BREAK="+v)
	}
	args = append(args, "--", program, "-goroot", strings.TrimSpace(string(goroot)))
	out, code, err := t.run(ctx, args...)
	if err == nil && code != 0 {
		err = fmt.Errorf("exit code %d:\n%s", code, out)
	}
	return err
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// example is the directory of an example; a test may say otherwise where they are.
func example(parts ...string) string {
	root := os.Getenv("PROFFER_EXAMPLES")
	if root == "" {
		root = filepath.Join("configs", "examples")
	}
	return filepath.Join(append([]string{root}, parts...)...)
}

// program is where an example is built.
func (t *tour) program(name string) string { return filepath.Join(t.dir, name) }

// build builds an example as a third party would, in its own module. How long that takes is
// the compiler's affair: a cold cache takes minutes.
func (t *tour) build(ctx context.Context, dir, name string) error {
	build := exec.CommandContext(ctx, "go", "build", "-o", t.program(name), ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", dir, err, out)
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
	args = append(args, "--", t.program("wordcount"), "-goroot", strings.TrimSpace(string(goroot)))
	out, code, err := t.run(ctx, args...)
	if err == nil && code != 0 {
		err = fmt.Errorf("exit code %d:\n%s", code, out)
	}
	return err
}

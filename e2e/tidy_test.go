package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The lengths that files and functions may have, in lines.
const (
	maxFileLines     = 700
	maxMedianLines   = 120
	maxFunctionLines = 100
)

// clockCalls finds the calls in a file that read the clock or the host's zone data, or start
// a timer or goroutine.
func clockCalls(t *testing.T, file string) []string {
	t.Helper()
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(tree, func(n ast.Node) bool {
		if g, ok := n.(*ast.GoStmt); ok {
			found = append(found, "go "+fset.Position(g.Pos()).String())
		}
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" {
			switch sel.Sel.Name {
			case "Now", "Since", "Until", "After", "AfterFunc", "Sleep", "NewTimer", "NewTicker", "Tick", "LoadLocation":
				found = append(found, "time."+sel.Sel.Name+" "+fset.Position(sel.Pos()).String())
			}
		}
		return true
	})
	return found
}

// sources lists the Go files of the module below the top, tests left out unless asked.
func sources(t *testing.T, tests bool) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "bin" || (strings.HasPrefix(d.Name(), ".") && p != "..")) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(p, ".go") && (tests || !strings.HasSuffix(p, "_test.go")) {
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFileLengths(t *testing.T) {
	var lengths []int
	for _, f := range sources(t, true) {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		n := strings.Count(string(data), "\n")
		if n > maxFileLines {
			t.Errorf("%s has %d lines, at most %d are allowed: split it", f, n, maxFileLines)
		}
		if !strings.HasSuffix(f, "_test.go") {
			lengths = append(lengths, n)
		}
	}
	slices.Sort(lengths)
	if m := lengths[len(lengths)/2]; m > maxMedianLines {
		t.Errorf("the median file has %d lines, at most %d are allowed", m, maxMedianLines)
	}
}

func TestFunctionLengths(t *testing.T) {
	for _, f := range sources(t, false) {
		fset := token.NewFileSet()
		tree, err := parser.ParseFile(fset, f, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil || fn.Name.Name == "Enum" {
				continue // Enum is a table, as long as Mesos made it
			}
			if n := fset.Position(fn.Body.Rbrace).Line - fset.Position(fn.Body.Lbrace).Line; n > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, at most %d are allowed", fset.Position(fn.Pos()), fn.Name.Name, n, maxFunctionLines)
			}
			if fn.Name.Name == "init" && fn.Recv == nil && !mainThreadLock(fn) {
				t.Errorf("%s: init() may only lock the main thread", fset.Position(fn.Pos()))
			}
		}
	}
}

// mainThreadLock tells whether an init does nothing but runtime.LockOSThread(), which the
// launch function asks of every main (a v1 cgroup stays busy otherwise).
func mainThreadLock(fn *ast.FuncDecl) bool {
	if len(fn.Body.List) != 1 {
		return false
	}
	st, ok := fn.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := st.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "LockOSThread"
}

func TestNames(t *testing.T) {
	banned := []string{"util", "utils", "common", "helper", "helpers", "shared", "misc", "types", "models", "manager", "impl", "internal", "mocks", "base", "core", "lib", "interfaces", "pkg"}
	for _, p := range listPackages(t) {
		for _, part := range strings.Split(p.rel(), "/") {
			if slices.Contains(banned, part) {
				t.Errorf("%s: %q says nothing; name the package after what it is", p.rel(), part)
			}
		}
		if !slices.ContainsFunc(p.GoFiles, func(f string) bool { return f == "doc.go" }) && !below(p.rel(), "cmd") && len(p.GoFiles) > 0 {
			t.Errorf("%s has no doc.go that says what it owns, never does, and its concurrency rule", p.rel())
		}
	}
}

func TestTopLevel(t *testing.T) {
	want := []string{"LICENSE", "Makefile", "README.md", "cmd", "configs", "e2e", "executor", "go.mod", "go.sum", "kernel", "sdk"}
	later := []string{"bin", "marathonish", "chronosish"}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if n := e.Name(); !strings.HasPrefix(n, ".") && !slices.Contains(want, n) && !slices.Contains(later, n) {
			t.Errorf("%s does not belong at the top level", n)
		}
	}
	for _, n := range want {
		if _, err := os.Stat(filepath.Join("..", n)); err != nil {
			t.Errorf("%s is missing at the top level", n)
		}
	}
}

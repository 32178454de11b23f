package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// sleeps finds where a test file only lets time pass: time.Sleep, and receiving from
// time.After outside a select that has another case. In a select it is a bound. Inside a
// bubble, that is in a call of synctest.Test or on a line marked // synctest, time costs none.
func sleeps(name string, src any) ([]string, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	marked := map[int]bool{}
	for _, group := range tree.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "// synctest") {
				marked[fset.Position(c.Pos()).Line] = true
			}
		}
	}
	var found []string
	report := func(n ast.Node) {
		if at := fset.Position(n.Pos()); !marked[at.Line] {
			found = append(found, at.String())
		}
	}
	var walk func(ast.Node) bool
	walk = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectStmt:
			for _, c := range n.Body.List {
				c := c.(*ast.CommClause)
				if len(n.Body.List) == 1 && c.Comm != nil {
					ast.Inspect(c.Comm, walk) // waits for nothing else
				}
				for _, st := range c.Body {
					ast.Inspect(st, walk)
				}
			}
			return false
		case *ast.UnaryExpr:
			if n.Op == token.ARROW && isCall(n.X, "time", "After") {
				report(n)
			}
		case *ast.CallExpr:
			if isCall(n, "time", "Sleep") {
				report(n)
			}
			return !isCall(n, "synctest", "Test")
		}
		return true
	}
	ast.Inspect(tree, walk)
	return found, nil
}

// isCall tells whether an expression calls pkg.name.
func isCall(e ast.Node, pkg, name string) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg
}

func TestNoSleepInTests(t *testing.T) {
	for _, f := range sources(t, true) {
		if !strings.HasSuffix(f, "_test.go") {
			continue
		}
		found, err := sleeps(f, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range found {
			t.Errorf("%s sleeps: wait for a condition, with time.After as the other case of its select; or mark a bubble's virtual sleep with // synctest", at)
		}
	}
}

func TestSleepsAreFound(t *testing.T) {
	got, err := sleeps("x_test.go", `package x

func f() {
	<-time.After(1)
	time.Sleep(1)
	for ok() { <-time.After(1) }
	for ; ok(); <-time.After(1) {
	}
	_ = <-time.After(1)
	select {
	case <-time.After(1):
	}
	select {
	case <-done:
		<-time.After(1)
	case <-time.After(1):
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1)
		<-time.After(1)
	})
	<-time.After(1) // synctest: called in a bubble
	late := time.After(1)
	select {
	case <-late:
	case <-time.After(1):
		go func() { time.Sleep(1) }()
	default:
	}
}
`)
	want := []string{"4:2", "5:2", "6:13", "7:14", "9:6", "11:7", "15:3", "27:15"}
	for i := range want {
		want[i] = "x_test.go:" + want[i]
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v\nwant %v", got, err, want)
	}
}

package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScripts runs testdata/*.txt: what definitions become, what changes make of them,
// and which labels selectors pick. An app that was accepted is kept under its id for
// the changes that follow in the same file.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			apps := map[ID]*App{}
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				return runCommand(t, d, apps)
			})
		})
	}
}

func runCommand(t *testing.T, d *datadriven.TestData, apps map[ID]*App) string {
	t.Helper()
	old := func(id ID) *App { return apps[id] }
	taken := func(port int) bool {
		for _, a := range apps {
			if slices.ContainsFunc(a.PortDefinitions, func(p PortDefinition) bool { return p.Port == port }) {
				return true
			}
		}
		return false
	}
	accept := func(u Updated) string {
		if u.RollBack != "" {
			return fmt.Sprintf("%s goes back to %s\n", u.ID, u.RollBack)
		}
		was := apps[u.ID]
		delete(apps, u.ID)
		if err := AssignPorts(u.App, was, taken); err != nil {
			return told(err)
		}
		apps[u.ID] = u.App
		same := ""
		if was != nil && was.SameConfig(u.App) {
			same = "same configuration\n"
		}
		if d.HasArg("brief") {
			return same + brief(was, u.App)
		}
		return same + indented(t, u.App)
	}
	mode := map[string]Mode{"put": Partial, "put-whole": Whole, "patch": Patch, "put-all": Partial, "patch-all": Patch}[d.Cmd]
	switch d.Cmd {
	case "post":
		a, err := Parse([]byte(d.Input))
		if err != nil {
			return told(err)
		}
		return accept(Updated{ID: a.ID, App: a})
	case "put", "put-whole", "patch":
		var id string
		d.ScanArgs(t, "id", &id)
		u, err := Update(ID(id), apps[ID(id)], []byte(d.Input), mode)
		if err != nil {
			return told(err)
		}
		return accept(u)
	case "put-all", "patch-all":
		all, err := UpdateAll(old, []byte(d.Input), mode)
		if err != nil {
			return told(err)
		}
		var b strings.Builder
		for _, u := range all {
			b.WriteString(accept(u))
		}
		return b.String()
	case "select":
		return selected(t, d.Input)
	}
	d.Fatalf(t, "unknown command %s", d.Cmd)
	return ""
}

// selected tries a selector, which is the first line, on the labels of the others.
func selected(t *testing.T, input string) string {
	t.Helper()
	selector, rest, _ := strings.Cut(input, "\n")
	s, err := ParseSelector(selector)
	if err != nil {
		return told(err)
	}
	var b strings.Builder
	for line := range strings.SplitSeq(rest, "\n") {
		labels := map[string]string{}
		for pair := range strings.FieldsSeq(line) {
			key, value, _ := strings.Cut(pair, "=")
			labels[key] = value
		}
		fmt.Fprintf(&b, "%s: %v\n", line, s.Matches(labels))
	}
	return b.String()
}

func told(err error) string {
	var r *Refusal
	if !errors.As(err, &r) {
		return "no refusal: " + err.Error() + "\n"
	}
	body, _ := json.Marshal(r)
	return fmt.Sprintf("%d %s\n", r.Status, body)
}

// indented is the JSON of an app, which must read back as the same app.
func indented(t *testing.T, a *App) string {
	t.Helper()
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := Stored(data); err != nil || !back.SameConfig(a) {
		t.Errorf("it reads back as another: %v", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	return out.String() + "\n"
}

// brief are the lines of the JSON that differ from before.
func brief(was, is *App) string {
	lines := func(a *App) []string {
		if a == nil {
			return nil
		}
		data, _ := json.Marshal(a)
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(data, &fields)
		var out []string
		for key, raw := range fields {
			out = append(out, key+": "+string(raw))
		}
		slices.Sort(out)
		return out
	}
	var b strings.Builder
	before, after := lines(was), lines(is)
	for _, l := range before {
		if !slices.Contains(after, l) {
			b.WriteString("- " + l + "\n")
		}
	}
	for _, l := range after {
		if !slices.Contains(before, l) {
			b.WriteString("+ " + l + "\n")
		}
	}
	return b.String()
}

package e2e

import (
	"encoding/json"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/profferhq/proffer"

// pkg is what `go list -json` tells of one package, as far as the rules ask.
type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func (p pkg) rel() string { return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/") }

// listPackages lists every package of the module with its imports, tests left out.
func listPackages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
}

// rule is one line of the import rule: packages below from may import of ours only
// what stands below allowed.
type rule struct {
	from, why string
	allowed   []string
}

// importRules say who may know whom; the first rule that matches a package decides.
func importRules() []rule {
	return []rule{
		{"sdk/sdktest", "the kernel of the tests is the real one's pure part", []string{"sdk", "kernel/cluster", "kernel/allocator", "kernel/registry", "kernel/store", "kernel/link", "kernel/view", "kernel/credential", "kernel/agent/ledger"}},
		{"sdk", "third parties get the sdk without a kernel", []string{"sdk"}},
		{"executor", "the proof that the sdk suffices", []string{"sdk", "executor"}},
		{"marathonish", "the proof that the sdk suffices", []string{"sdk", "marathonish"}},
		{"chronosish", "the proof that the sdk suffices", []string{"sdk", "chronosish"}},
		{"kernel/sim", "the simulation sees pure packages only", []string{"sdk", "kernel/sim", "kernel/cluster", "kernel/allocator", "kernel/registry", "kernel/link", "kernel/view", "kernel/store", "kernel/credential", "kernel/agent/ledger", "kernel/agent/checkpoint"}},
		{"kernel/master", "a master knows no agent's inside", []string{"sdk", "sdk/wire", "kernel/master", "kernel/cluster", "kernel/registry", "kernel/store", "kernel/view", "kernel/link", "kernel/consensus", "kernel/membership", "kernel/credential", "kernel/allocator", "kernel/boot"}},
		{"kernel/agent", "an agent knows no master's inside", []string{"sdk", "kernel/agent", "kernel/link", "kernel/membership", "kernel/credential"}},
		{"kernel", "the kernel speaks the sdk's vocabulary", []string{"sdk", "kernel"}},
		{"cmd/proffer-executor", "a small binary: no kernel inside", []string{"sdk", "executor"}},
		{"cmd", "mains wire", []string{"sdk", "kernel", "marathonish", "chronosish", "executor", "cmd"}},
		{"e2e/sim", "the simulated cluster with the two frameworks, all of it pure", []string{"sdk", "e2e/sim", "kernel/sim", "marathonish/app", "marathonish/fleet", "marathonish/plan", "chronosish/book", "chronosish/due", "chronosish/job"}},
		{"e2e", "stories see what a user sees", []string{"sdk", "e2e"}},
	}
}

func below(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }

func TestImportRule(t *testing.T) {
	rules := importRules()
	for _, p := range listPackages(t) {
		i := slices.IndexFunc(rules, func(r rule) bool { return below(p.rel(), r.from) })
		if i < 0 {
			t.Errorf("%s: no rule says what it may import", p.rel())
			continue
		}
		for _, imp := range p.Imports {
			rel, ours := strings.CutPrefix(imp, module+"/")
			if ours && !slices.ContainsFunc(rules[i].allowed, func(a string) bool { return below(rel, a) }) {
				t.Errorf("%s imports %s: %s", p.rel(), rel, rules[i].why)
			}
			if ours && below(rel, "sdk/sdktest") {
				t.Errorf("%s imports sdk/sdktest, which only tests may", p.rel())
			}
		}
	}
}

// soleImporters names the libraries that one folder alone may import, so that
// replacing one touches one folder.
func soleImporters() map[string][]string {
	return map[string][]string{
		"github.com/hashicorp/raft":       {"kernel/consensus"},
		"go.etcd.io/bbolt":                {"kernel/consensus"},
		"github.com/hashicorp/memberlist": {"kernel/membership"},
		"github.com/containerd/cgroups":   {"kernel/agent/isolator/cgroup"},
		"github.com/prometheus/procfs":    {"kernel/agent/detect"},
		"github.com/labstack/echo":        {"kernel/master", "kernel/agent"},
		"github.com/vmihailenco/msgpack":  {"sdk/wire"},
		"github.com/spf13/cobra":          {"cmd/proffer", "cmd/proffer-bench"},
		"github.com/robfig/cron":          {"chronosish/schedule"},
	}
}

func TestSoleImporters(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, imp := range p.Imports {
			for lib, homes := range soleImporters() {
				if below(imp, lib) && !slices.ContainsFunc(homes, func(h string) bool { return p.rel() == h || (below(p.rel(), h) && !strings.Contains(lib, "echo")) }) {
					t.Errorf("%s imports %s; only %s may", p.rel(), imp, strings.Join(homes, ", "))
				}
			}
		}
	}
}

// purePackages decide and do nothing else (see kernel/doc.go).
func purePackages() []string {
	return []string{"sdk", "sdk/wire", "sdk/scheduler/mind", "kernel/allocator", "kernel/registry", "kernel/store", "kernel/cluster", "kernel/view", "kernel/link", "kernel/agent/ledger", "executor/probe",
		"marathonish/app", "marathonish/event", "marathonish/plan", "marathonish/placement", "marathonish/health", "marathonish/launch", "marathonish/fleet",
		"chronosish/job", "chronosish/graph", "chronosish/due", "chronosish/book", "chronosish/schedule", "e2e/slots"}
}

// impureImports are the packages that bring a clock, a disk, a network or a goroutine's
// tools into a pure package. sdk/wire reads from an io.Reader and caches compiled types
// under a lock: it is pure in what it computes.
func impureImports(rel string) []string {
	list := []string{"net", "net/http", "os", "os/exec", "log", "log/slog", "context", "sync", "sync/atomic", "math/rand", "math/rand/v2", "crypto/rand", "syscall", "time/tzdata", "os/signal", "os/user", "io/fs", "io/ioutil", "runtime", "golang.org/x/sys/unix"}
	if rel == "sdk/wire" {
		return slices.DeleteFunc(list, func(s string) bool { return s == "sync" || s == "sync/atomic" })
	}
	return list
}

func TestPurePackages(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range listPackages(t) {
		if !slices.Contains(purePackages(), p.rel()) {
			continue
		}
		seen[p.rel()] = true
		for _, imp := range p.Imports {
			if slices.Contains(impureImports(p.rel()), imp) {
				t.Errorf("%s is pure and imports %s", p.rel(), imp)
			}
		}
		for _, f := range p.GoFiles {
			for _, call := range clockCalls(t, path.Join(p.Dir, f)) {
				t.Errorf("%s is pure and calls %s", p.rel(), call)
			}
		}
	}
	for _, p := range purePackages() {
		if !seen[p] {
			t.Errorf("the pure package %s is missing", p)
		}
	}
}

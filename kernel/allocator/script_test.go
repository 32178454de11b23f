package allocator

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/sdk"
)

// TestScripts runs testdata/*.txt: blocks of `run`, one command a line. Every
// line is followed by Check, and every block's answer is made twice, by two
// allocators, and compared.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(scripts) < 6 {
		t.Fatalf("found %d scripts, %v", len(scripts), err)
	}
	for _, path := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			first, second := newStage(), newStage()
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				out, again := first.run(d.Input), second.run(d.Input)
				if out != again {
					t.Fatalf("%s: two runs differ:\n%s\nand\n%s", d.Pos, out, again)
				}
				return out
			})
		})
	}
}

// stage is an allocator with a clock that scripts drive.
type stage struct {
	a   *Allocator
	now time.Time
}

func newStage() *stage {
	return &stage{a: New(Options{}), now: time.Unix(1000, 0)}
}

func (s *stage) run(input string) string {
	var out strings.Builder
	for line := range strings.SplitSeq(input, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		out.WriteString(s.command(words[0], words[1:]))
		if err := s.a.Check(); err != nil {
			fmt.Fprintf(&out, "CHECK after %q: %v\n", line, err)
		}
	}
	if out.Len() == 0 {
		return "ok\n"
	}
	return out.String()
}

// options reads the words that have the form key=value.
func options(words []string) map[string]string {
	m := map[string]string{}
	for _, w := range words {
		if key, value, ok := strings.Cut(w, "="); ok {
			m[key] = value
		}
	}
	return m
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func mustParse(text string) sdk.Resources {
	r, err := sdk.ParseResources(text)
	if err != nil {
		panic(err)
	}
	return r
}

func refusal(text string) time.Duration {
	if text == "" {
		return DefaultRefusal
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}

func (s *stage) command(name string, words []string) string {
	set := options(words)
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	holder := Holder{Framework: sdk.FrameworkID(arg(0)), Role: arg(1), Agent: sdk.AgentID(arg(2))}
	switch name {
	case "options":
		s.a = New(Options{HeadRoom: mustParse(set["headroom"]), Unshared: list(set["unshared"])})
	case "weight":
		w, _ := strconv.ParseFloat(arg(1), 64)
		s.a.SetWeight(arg(0), w)
	case "advance":
		s.now = s.now.Add(refusal(arg(0)))
	case "allocate":
		return s.allocate()
	case "accept":
		offered, _ := s.a.Held(holder)
		return failure(s.a.Accept(s.now, holder, offered, mustParse(arg(3)), refusal(set["refuse"])))
	case "decline":
		offered, _ := s.a.Held(holder)
		return failure(s.a.Recover(s.now, holder, offered, refusal(set["refuse"])))
	case "recover":
		return failure(s.a.Recover(s.now, holder, mustParse(arg(3)), refusal(set["refuse"])))
	case "release":
		return failure(s.a.Release(holder, mustParse(arg(3))))
	case "claim":
		s.a.Claim(holder, mustParse(arg(3)))
	case "why":
		return s.why(arg(0), arg(1))
	case "next":
		if at, ok := s.a.NextExpiry(); ok {
			return fmt.Sprintf("in %s\n", at.Sub(s.now))
		}
		return "never\n"
	case "shares":
		return s.shares(s.a.root, 0)
	case "books":
		return s.books()
	default:
		return s.topology(name, arg, set)
	}
	return ""
}

// topology is the commands about who is there.
func (s *stage) topology(name string, arg func(int) string, set map[string]string) string {
	agent, framework := sdk.AgentID(arg(0)), sdk.FrameworkID(arg(0))
	switch name {
	case "agent":
		s.a.AddAgent(Agent{ID: agent, Total: mustParse(arg(1))}, nil)
	case "readd":
		s.a.AddAgent(Agent{ID: agent, Total: mustParse(arg(1))},
			[]Claim{{Framework: sdk.FrameworkID(arg(2)), Role: arg(3), Resources: mustParse(arg(4))}})
	case "update-agent":
		s.a.UpdateAgent(Agent{ID: agent, Total: mustParse(arg(1))})
	case "activate-agent":
		s.a.ActivateAgent(agent)
	case "deactivate-agent":
		s.a.DeactivateAgent(agent)
	case "remove-agent":
		s.a.RemoveAgent(agent)
	case "framework", "update-framework":
		f := Framework{ID: framework, Roles: list(set["roles"]), Suppressed: list(set["suppressed"])}
		for _, c := range list(set["caps"]) {
			f.Capabilities = append(f.Capabilities, sdk.Capability(c))
		}
		if least, ok := set["min"]; ok {
			f.OfferFilters = map[string]sdk.OfferFilters{f.Roles[0]: minimum(least)}
		}
		if name == "framework" {
			s.a.AddFramework(f)
		} else {
			s.a.UpdateFramework(f)
		}
	case "activate":
		s.a.ActivateFramework(framework)
	case "deactivate":
		s.a.DeactivateFramework(framework)
	case "remove":
		s.a.RemoveFramework(framework)
	case "suppress":
		s.a.Suppress(framework, list(arg(1))...)
	case "revive":
		s.a.Revive(framework, list(arg(1))...)
	default:
		return fmt.Sprintf("unknown command %q\n", name)
	}
	return ""
}

// minimum reads `cpus:1|mem:64`.
func minimum(text string) sdk.OfferFilters {
	least := &sdk.MinAllocatableResources{}
	for alternative := range strings.SplitSeq(text, "|") {
		q := map[string]sdk.Scalar{}
		for _, x := range mustParse(alternative) {
			q[x.Name] = *x.Scalar
		}
		if len(q) > 0 {
			least.Quantities = append(least.Quantities, sdk.ResourceQuantities{Quantities: q})
		}
	}
	return sdk.OfferFilters{MinAllocatableResources: least}
}

func failure(err error) string {
	if err == nil {
		return ""
	}
	return "error: " + err.Error() + "\n"
}

func (s *stage) allocate() string {
	var out strings.Builder
	for _, o := range s.a.Allocate(s.now) {
		if got := o.Resources.Allocations(); len(got) != 1 || got[0] != o.Role {
			fmt.Fprintf(&out, "WRONG STAMP %q\n", got)
		}
		fmt.Fprintf(&out, "%s (%s): %s %s\n", o.Framework, o.Role, o.Agent, o.Resources.WithoutAllocation())
	}
	if out.Len() == 0 {
		return "no offers\n"
	}
	return out.String()
}

func (s *stage) why(framework, role string) string {
	var out strings.Builder
	for _, r := range s.a.Why(s.now, sdk.FrameworkID(framework), role) {
		if r.Agent != "" {
			fmt.Fprintf(&out, "%s: ", r.Agent)
		}
		out.WriteString(r.Reason)
		if !r.Until.IsZero() {
			fmt.Fprintf(&out, " (for %s)", r.Until.Sub(s.now))
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// shares prints the tree of those who take part, in serving order.
func (s *stage) shares(n *node, depth int) string {
	s.a.fresh()
	var out strings.Builder
	for _, kid := range n.active {
		if kid.name != "." {
			fmt.Fprintf(&out, "%s%s %.3f\n", strings.Repeat("  ", depth), kid.name, kid.share)
			out.WriteString(s.shares(kid, depth+1))
			continue
		}
		if len(n.active) > 1 {
			fmt.Fprintf(&out, "%s. %.3f\n", strings.Repeat("  ", depth), kid.share)
			out.WriteString(s.shares(kid, depth+1))
			continue
		}
		out.WriteString(s.shares(kid, depth))
	}
	return out.String()
}

func (s *stage) books() string {
	var out strings.Builder
	for _, g := range s.a.inOrder() {
		fmt.Fprintf(&out, "%s: free %s\n", g.id, orNothing(g.free))
		for _, h := range g.holdings {
			fmt.Fprintf(&out, "  %s (%s): offered %s, used %s\n", h.client.framework.id, h.client.role, orNothing(h.offered), orNothing(h.used))
		}
	}
	return out.String()
}

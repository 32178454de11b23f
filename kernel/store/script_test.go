package store

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/sdk"
)

// The scripts of testdata. `commit`, `grant` and `revoke` are commands, each on a
// space such as alice/state; the answer is what the store decided and changed.
// `show` prints a space, `since` what a watch would get. Every script runs beside
// one with a snapshot and restore after every command: both must read alike (P23).
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		plain, restored := New(), New()
		index := uint64(0)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			id := spaceIn(t, d)
			switch d.Cmd {
			case "show":
				return show(plain, id)
			case "since":
				return since(t, d, plain, id)
			case "reborn": // a snapshot is restored, and its revisions are above floor
				d.ScanArgs(t, "floor", &index)
				plain, restored = plain.Reborn(index), reload(t, restored.Reborn(index))
				return ""
			}
			cmd := command(t, d, id)
			index++
			var times uint64 = 1
			d.MaybeScanArgs(t, "times", &times)
			var out string
			for range times {
				r := plain.Apply(index, cmd)
				out = describe(r)
				if other := describe(restored.Apply(index, cmd)); other != out {
					t.Fatalf("%s: after a restore: %s and %s", d.Pos, out, other)
				}
				index++
			}
			restored = reload(t, restored)
			index--
			if !bytes.Equal(image(t, plain), image(t, restored)) {
				t.Fatalf("%s: states differ", d.Pos)
			}
			return out
		})
	})
}

func spaceIn(t *testing.T, d *datadriven.TestData) Space {
	t.Helper()
	name := "alice/state"
	d.MaybeScanArgs(t, "space", &name)
	principal, name, _ := strings.Cut(name, "/")
	return Space{Principal: principal, Name: name}
}

func command(t *testing.T, d *datadriven.TestData, id Space) Command {
	t.Helper()
	c := Command{Version: CommandVersion, Space: id, Type: CommandType(strings.ToUpper(d.Cmd))}
	d.MaybeScanArgs(t, "limit", &c.Limit)
	d.MaybeScanArgs(t, "version", &c.Version)
	switch d.Cmd {
	case "commit":
		c.Commit = &sdk.StoreCommit{}
		for line := range strings.Lines(d.Input) {
			f := strings.Fields(line)
			switch f[0] {
			case "if":
				c.Commit.If = append(c.Commit.If, compareOf(t, f[1:]))
			case "then":
				c.Commit.Then = append(c.Commit.Then, opOf(f[1:]))
			case "else":
				c.Commit.Else = append(c.Commit.Else, opOf(f[1:]))
			}
		}
	case "grant":
		ttl, task := "10s", ""
		d.MaybeScanArgs(t, "ttl", &ttl)
		d.MaybeScanArgs(t, "task", &task)
		span, err := time.ParseDuration(ttl)
		if err != nil {
			t.Fatal(err)
		}
		framework, id, _ := strings.Cut(task, "/")
		id, agent, _ := strings.Cut(id, "@")
		c.Grant = &Grant{TTL: int64(span), FrameworkID: sdk.FrameworkID(framework), TaskID: sdk.TaskID(id), AgentID: sdk.AgentID(agent)}
	case "revoke":
		c.Revoke = &Revoke{}
		d.ScanArgs(t, "lease", &c.Revoke.Lease)
	default:
		d.Fatalf(t, "unknown directive %q", d.Cmd)
	}
	return c
}

func compareOf(t *testing.T, f []string) sdk.StoreCompare {
	t.Helper()
	f = append(f, "", "")
	c := sdk.StoreCompare{Type: sdk.StoreCompareType(strings.ToUpper(f[0])), Key: word(f[1])}
	switch c.Type {
	case sdk.StoreUnchanged:
		n, err := strconv.ParseUint(f[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		c.Modified = n
	case sdk.StoreValueIs:
		c.Value = []byte(word(f[2]))
	case sdk.StoreHeldBy:
		c.Lease = f[2]
	}
	return c
}

func opOf(f []string) sdk.StoreOp {
	f = append(f, "", "", "")
	return sdk.StoreOp{Type: sdk.StoreOpType(strings.ToUpper(f[0])), Key: word(f[1]), Value: []byte(word(f[2])), Lease: f[3]}
}

// word reads N*x as so many x.
func word(s string) string {
	if count, x, ok := strings.Cut(s, "*"); ok {
		if n, err := strconv.Atoi(count); err == nil {
			return strings.Repeat(x, n)
		}
	}
	return s
}

// brief shortens what a script made long.
func brief[T string | []byte](s T) string {
	if len(s) > 40 {
		return fmt.Sprintf("%s…(%d)", string(s[:8]), len(s))
	}
	return string(s)
}

func describe(r Result) string {
	var b strings.Builder
	switch {
	case r.Err != nil:
		fmt.Fprintf(&b, "%d refused %s: %s\n", r.Index, r.Err.Code, r.Err)
		return b.String()
	case r.Granted != nil:
		fmt.Fprintf(&b, "%d granted %s for %v to %q%s\n", r.Index, r.Granted.ID, r.Granted.TTL, r.Granted.TaskID, where(*r.Granted))
	case r.Ended != nil:
		fmt.Fprintf(&b, "%d ended %s\n", r.Index, r.Ended.ID)
	default:
		fmt.Fprintf(&b, "%d held=%v\n", r.Index, r.Held)
	}
	changes(&b, r.Changes)
	return b.String()
}

// where is the agent of the lease's task, when it is known.
func where(l Lease) string {
	if l.AgentID == "" {
		return ""
	}
	return " on " + string(l.AgentID)
}

func changes(b *strings.Builder, c Changes) {
	for _, x := range c.List {
		if x.Deleted {
			fmt.Fprintf(b, "  %d %s deleted\n", x.KV.Modified, brief(x.KV.Key))
		} else {
			fmt.Fprintf(b, "  %s\n", line(x.KV))
		}
	}
}

func line(kv sdk.StoreKV) string {
	s := fmt.Sprintf("%s=%s created %d modified %d version %d", brief(kv.Key), brief(kv.Value), kv.Created, kv.Modified, kv.Version)
	if kv.Lease != "" {
		s += " lease " + kv.Lease
	}
	return s
}

func show(s *State, id Space) string {
	var b strings.Builder
	for _, kv := range s.List(id, "") {
		fmt.Fprintln(&b, line(kv))
	}
	for _, l := range s.Leases() {
		if l.Space == id {
			fmt.Fprintf(&b, "lease %s ttl %v task %q%s\n", l.ID, l.TTL, l.TaskID, where(l))
		}
	}
	st := s.Stats()
	fmt.Fprintf(&b, "all: %d spaces, %d keys, %d leases, %d bytes\n", st.Spaces, st.Keys, st.Leases, st.Bytes)
	return b.String()
}

func since(t *testing.T, d *datadriven.TestData, s *State, id Space) string {
	t.Helper()
	var prefix string
	var after uint64
	d.MaybeScanArgs(t, "prefix", &prefix)
	d.ScanArgs(t, "after", &after)
	list, err := s.Since(id, prefix, after)
	if err != nil {
		return fmt.Sprintf("refused %s: %s\n", err.Code, err)
	}
	var b strings.Builder
	for _, c := range list {
		fmt.Fprintf(&b, "revision %d\n", c.Revision)
		changes(&b, c)
	}
	if len(list) == 0 {
		return "nothing\n"
	}
	return b.String()
}

func image(t interface{ Fatal(...any) }, s *State) []byte {
	var b bytes.Buffer
	if err := s.Image().Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func reload(t interface{ Fatal(...any) }, s *State) *State {
	r, err := Restore(bytes.NewReader(image(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

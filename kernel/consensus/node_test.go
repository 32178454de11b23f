package consensus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

func testKey() credential.Key {
	var k credential.Key
	copy(k[:], "a key for tests, 32 bytes long..")
	return k
}

func testOptions(t *testing.T, name, dir string) Options {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions()
	o.Name, o.Dir, o.Listener, o.Advertise, o.Key = name, dir, ln, ln.Addr().String(), testKey()
	o.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Fatal = func(err error) { t.Errorf("fatal: %v", err) }
	o.Solo = Timing{Heartbeat: 50 * time.Millisecond, Election: 50 * time.Millisecond, Lease: 50 * time.Millisecond, Commit: 5 * time.Millisecond}
	o.Many = Timing{Heartbeat: 150 * time.Millisecond, Election: 150 * time.Millisecond, Lease: 100 * time.Millisecond, Commit: 10 * time.Millisecond}
	return o
}

func startNode(t *testing.T, o Options) *Node {
	t.Helper()
	n, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("close %s: %v", o.Name, err)
		}
	})
	return n
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func awaitTerm(t *testing.T, n *Node) Term {
	t.Helper()
	select {
	case term := <-n.Leading():
		return term
	case <-bounded(t).Done():
		t.Fatal("never led")
		return Term{}
	}
}

func weight(role string, w float64) registry.Command {
	return registry.Command{Type: registry.CommandSetWeight, SetWeight: &registry.SetWeight{Role: role, Weight: w}}
}

func weightOf(n *Node, role string) (w float64) {
	n.View(func(s *registry.State) { w = s.Weight(role) })
	return w
}

// P1, P23: what was answered as stored is there after a restart from disk, with
// and without a snapshot, and the term never goes back.
func TestLoneVoterKeepsWhatItAnswered(t *testing.T) {
	dir := t.TempDir()
	o := testOptions(t, "m1", dir)
	o.Bootstrap = true
	n := startNode(t, o)
	first := awaitTerm(t, n)
	for i := range 50 {
		r, err := n.Propose(bounded(t), weight(fmt.Sprintf("role%d", i), float64(i+1)))
		if err != nil || r.Err != nil {
			t.Fatal(err, r.Err)
		}
	}
	if err := n.Snapshot(bounded(t)); err != nil {
		t.Fatal(err)
	}
	rs, err := n.ProposeBatch(bounded(t), []registry.Command{weight("a", 7), weight("", 1), weight("b", 8)})
	if err != nil || len(rs) != 3 || rs[0].Err != nil || rs[2].Err != nil {
		t.Fatal(rs, err)
	}
	if rs[1].Err == nil || rs[1].Err.Field != "role" || rs[2].Index <= rs[0].Index {
		t.Fatalf("a refusal in the middle must be told and change nothing: %+v", rs)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-first.Lost:
	default:
		t.Error("the term must be lost when the node has closed")
	}
	o2 := testOptions(t, "m1", dir)
	n = startNode(t, o2)
	second := awaitTerm(t, n)
	if err := n.Barrier(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if second.Number <= first.Number {
		t.Errorf("term went from %d to %d", first.Number, second.Number)
	}
	if weightOf(n, "role49") != 50 || weightOf(n, "a") != 7 || weightOf(n, "b") != 8 {
		t.Error("forgot what it had answered as stored")
	}
}

// Three nodes over real sockets: growing from one voter, replication, and a new
// leader when the old one goes.
func TestGrowsFromOneVoterAndSurvivesItsLeader(t *testing.T) {
	ctx := bounded(t)
	o1 := testOptions(t, "m1", t.TempDir())
	o1.Bootstrap = true
	n1 := startNode(t, o1)
	before := awaitTerm(t, n1)
	if _, err := n1.Propose(ctx, weight("early", 3)); err != nil {
		t.Fatal(err)
	}
	nodes := map[string]*Node{"m1": n1}
	for _, name := range []string{"m2", "m3"} {
		o := testOptions(t, name, t.TempDir())
		nodes[name] = startNode(t, o)
		if err := nodes[name].Admit(); err != nil {
			t.Fatal(err)
		}
		if err := n1.AddVoter(ctx, Voter{Name: name, Address: o.Advertise}); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-before.Lost:
	default:
		t.Error("adding the second voter must end the lone voter's term")
	}
	if vs, err := n1.Voters(ctx); err != nil || len(vs) != 3 {
		t.Fatal(vs, err)
	}
	if _, err := n1.Propose(ctx, weight("late", 4)); err != nil {
		t.Fatal(err)
	}
	if err := n1.Close(); err != nil {
		t.Fatal(err)
	}
	var led *Node
	var term Term
	select {
	case term = <-nodes["m2"].Leading():
		led = nodes["m2"]
	case term = <-nodes["m3"].Leading():
		led = nodes["m3"]
	case <-ctx.Done():
		t.Fatal("nobody leads after the leader is gone")
	}
	if err := led.Barrier(ctx); err != nil {
		t.Fatal(err)
	}
	if term.Number <= before.Number || weightOf(led, "early") != 3 || weightOf(led, "late") != 4 {
		t.Errorf("term %d after %d, weights %v %v", term.Number, before.Number, weightOf(led, "early"), weightOf(led, "late"))
	}
	if err := led.VerifyLeader(ctx); err != nil {
		t.Error(err)
	}
	other := nodes["m2"]
	if led == other {
		other = nodes["m3"]
	}
	if _, err := other.Propose(ctx, weight("x", 1)); sdk.CodeOf(err) != sdk.CodeUnavailable || !strings.Contains(err.Error(), "does not lead") {
		t.Errorf("a follower must refuse a proposal with a sentence, said %v", err)
	}
}

func TestSecondMasterOnTheSameDirectoryIsTold(t *testing.T) {
	dir := t.TempDir()
	startNode(t, testOptions(t, "m1", dir))
	_, err := New(testOptions(t, "m1", dir))
	if err == nil || !strings.Contains(err.Error(), "in use by another master") {
		t.Fatalf("got %v", err)
	}
}

// A database that was cut off or scribbled over is a sentence, never a crash.
func TestDamagedDatabaseNamesItself(t *testing.T) {
	dir := t.TempDir()
	o := testOptions(t, "m1", dir)
	o.Bootstrap = true
	n := startNode(t, o)
	awaitTerm(t, n)
	for i := range 200 {
		if _, err := n.Propose(bounded(t), weight(fmt.Sprintf("a-long-name-of-a-role-%03d", i), 2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "raft.db")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damage := map[string][]byte{
		"a quarter is left":  good[:len(good)/4],
		"one page is left":   good[:4096],
		"half of the header": good[:2000],
		"middle overwritten": append(append(append([]byte(nil), good[:len(good)/3]...), make([]byte, len(good)/3)...), good[2*(len(good)/3):]...),
		"entry changed":      []byte(strings.Replace(string(good), "a-long-name-of-a-role-100", "a-long-name-of-a-role-XXX", 1)),
		"garbage":            []byte(strings.Repeat("garbage!", 4096)),
	}
	for name, data := range damage {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			n, err := New(testOptions(t, "m1", dir))
			if err == nil {
				_ = n.Close()
				t.Fatal("opened a damaged file")
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("the error must name the file and say that it is damaged: %v", err)
			}
		})
	}
}

func TestFailedCommitIsFinal(t *testing.T) {
	var said error
	st, err := openStore(t.TempDir(), func(err error) { said = err })
	if err != nil {
		t.Fatal(err)
	}
	defer st.db.Close()
	boom := errors.New("no space left on device")
	if err := st.update("test", func(*boltTx) error { return boom }); !errors.Is(err, boom) || !errors.Is(said, boom) {
		t.Errorf("update gave %v, fatal was told %v", err, said)
	}
}

// TestALoneVoterStandsAtOnce: it does not wait for its time-outs, neither when it is
// bootstrapped nor when it starts again, with a key or without.
func TestALoneVoterStandsAtOnce(t *testing.T) {
	dir := t.TempDir()
	for _, key := range []credential.Key{testKey(), testKey(), {}} {
		o := testOptions(t, "m0", dir)
		o.Key = key
		o.Bootstrap = true
		o.Solo = Timing{Heartbeat: time.Hour, Election: time.Hour, Lease: time.Hour, Commit: time.Second}
		n, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		awaitTerm(t, n)
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
}

// logged has a node's log written to w.
func logged(o Options, w io.Writer) Options {
	o.Log = slog.New(slog.NewTextHandler(w, nil))
	return o
}

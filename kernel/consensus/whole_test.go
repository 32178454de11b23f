package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

// wholeDir is the directory of a lone master that has two snapshots, and of the log only
// what is behind the older one, or, with reach, behind the newer.
func wholeDir(t *testing.T, reach uint64) (dir string) {
	t.Helper()
	dir = t.TempDir()
	o := testOptions(t, "m1", dir)
	o.Bootstrap, o.Trailing = true, reach
	n := startNode(t, o)
	awaitTerm(t, n)
	for round := range 2 {
		for i := range 20 {
			if _, err := n.Propose(bounded(t), weight(fmt.Sprintf("role-%d-%d", round, i), 2)); err != nil {
				t.Fatal(err)
			}
		}
		if err := n.Snapshot(bounded(t)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.Propose(bounded(t), weight("last", 7)); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newest is a file of the newest snapshot.
func newest(t *testing.T, dir, file string) string {
	t.Helper()
	ids := snapshotsIn(dir)
	if len(ids) != 2 {
		t.Fatalf("there are the snapshots %v, want 2", ids)
	}
	return filepath.Join(dir, "snapshots", ids[0], file)
}

// damages are what may become of a file.
var damages = map[string]func(path string) error{
	"cut off": func(path string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, info.Size()/2)
	},
	"one byte flipped": func(path string) error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text[len(text)/2] ^= 0x10
		return os.WriteFile(path, text, 0o600)
	},
	"empty": func(path string) error { return os.Truncate(path, 0) },
	"gone":  os.Remove,
	"a directory": func(path string) error {
		if err := os.Remove(path); err != nil {
			return err
		}
		return os.Mkdir(path, 0o700)
	},
}

// TestDamagedSnapshots (F11): whatever becomes of the newest snapshot, the one before it and
// the log say the same, and the file is named; where the log does not reach back so far the
// master refuses to begin with less than it had, and says what is lost.
func TestDamagedSnapshots(t *testing.T) {
	far, near := wholeDir(t, 1000), wholeDir(t, 1)
	for what, damage := range damages {
		for _, file := range []string{"state.bin", "meta.json"} {
			t.Run(file+" "+what, func(t *testing.T) {
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(far)); err != nil {
					t.Fatal(err)
				}
				path := newest(t, dir, file)
				if err := damage(path); err != nil {
					t.Fatal(err)
				}
				var log bytes.Buffer
				n, err := New(logged(testOptions(t, "m1", dir), &log))
				if err != nil {
					t.Fatal(err)
				}
				awaitTerm(t, n)
				if err := errors.Join(n.Barrier(bounded(t)), n.Close()); err != nil {
					t.Fatal(err)
				}
				if weightOf(n, "role-0-3") != 2 || weightOf(n, "role-1-19") != 2 || weightOf(n, "last") != 7 {
					t.Error("something is lost")
				}
				if !strings.Contains(log.String(), filepath.Dir(path)) || !strings.Contains(log.String(), "damaged and set aside") {
					t.Errorf("the log does not name %s: %s", path, log.String())
				}
			})
			t.Run(file+" "+what+", and the log is short", func(t *testing.T) {
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(near)); err != nil {
					t.Fatal(err)
				}
				if err := damage(newest(t, dir, file)); err != nil {
					t.Fatal(err)
				}
				refused(t, dir, "m1", filepath.Join(dir, "snapshots"), "is damaged", "is lost", "join anew")
			})
		}
	}
	t.Run("another index in meta.json", func(t *testing.T) {
		path := newest(t, near, "meta.json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, index, _ := partsOf(filepath.Base(filepath.Dir(path)))
		changed := strings.Replace(string(text), fmt.Sprintf(`"Index":%d,`, index), fmt.Sprintf(`"Index":%d,`, index+1), 1)
		if changed == string(text) {
			t.Fatalf("no index in %s", text)
		}
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, near, "m1", "does not fit its name")
	})
}

// refused starts a master that must not start, and gives its reason.
func refused(t *testing.T, dir, name string, wants ...string) {
	t.Helper()
	n, err := New(testOptions(t, name, dir))
	if err == nil {
		_ = n.Close()
		t.Fatal("it has started")
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
}

// TestLostDatabase: raft.db that is empty, gone or a directory, where it was not before, is
// no new master; nor is another name's.
func TestLostDatabase(t *testing.T) {
	whole := wholeDir(t, 1)
	for what, damage := range damages {
		if what == "cut off" || what == "one byte flipped" { // TestDamagedDatabaseNamesItself
			continue
		}
		for _, rest := range []string{"snapshots", "began"} { // either tells
			t.Run(what+" without "+rest, func(t *testing.T) {
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
					t.Fatal(err)
				}
				if err := os.RemoveAll(filepath.Join(dir, rest)); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(dir, "raft.db")
				if err := damage(path); err != nil {
					t.Fatal(err)
				}
				refused(t, dir, "m1", path, "is lost", "join anew")
			})
		}
	}
	t.Run("all snapshots gone", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(dir, "snapshots")); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, "m1", "there is no snapshot of what came before", "is lost")
	})
	t.Run("another name", func(t *testing.T) { refused(t, whole, "m2", "raft.db", `the master "m1"`, `called "m2"`) })
	t.Run("whole", func(t *testing.T) {
		n := startNode(t, testOptions(t, "m1", whole))
		awaitTerm(t, n)
		if err := n.Barrier(bounded(t)); err != nil || weightOf(n, "last") != 7 {
			t.Errorf("%v", err)
		}
	})
}

// restoredDir is the directory of a lone master onto which what it had saved was put: its
// log of before stands in raft.db, and what came after far behind it.
func restoredDir(t *testing.T, after func(n *Node)) (dir string) {
	t.Helper()
	n := lone(t, "aaaaaaaaaaaa")
	if _, err := n.Propose(bounded(t), weight("early", 3)); err != nil {
		t.Fatal(err)
	}
	if err := n.Snapshot(bounded(t)); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := n.Save(bounded(t), &file); err != nil {
		t.Fatal(err)
	}
	b, err := ReadBackup(&file)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Restore(bounded(t), b); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Propose(bounded(t), weight("last", 7)); err != nil {
		t.Fatal(err)
	}
	after(n)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	return n.opts.Dir
}

// TestDamagedSnapshotsAfterARestore: the log of before does not lead to a restored snapshot,
// so that one is not set aside for an older one; one that came behind it may be.
func TestDamagedSnapshotsAfterARestore(t *testing.T) {
	started := func(t *testing.T, dir string) {
		t.Helper()
		n := startNode(t, testOptions(t, "m1", dir))
		awaitTerm(t, n)
		if err := n.Barrier(bounded(t)); err != nil || weightOf(n, "early") != 3 || weightOf(n, "last") != 7 {
			t.Errorf("something is lost: %v", err)
		}
	}
	cutOff := func(t *testing.T, dir string) (path string) {
		t.Helper()
		path = newest(t, dir, "state.bin")
		if err := damages["cut off"](path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Run("none", func(t *testing.T) { started(t, restoredDir(t, func(*Node) {})) })
	t.Run("the restored one", func(t *testing.T) {
		dir := restoredDir(t, func(*Node) {})
		path := cutOff(t, dir)
		refused(t, dir, "m1", filepath.Join(dir, "snapshots"), "lacks the entries", "is lost", "join anew")
		if _, err := os.Stat(path); err != nil {
			t.Errorf("what is left of it is gone: %v", err)
		}
	})
	t.Run("the restored one, and nothing came after", func(t *testing.T) { // as with one that others have told
		dir := restoredDir(t, func(n *Node) {
			_, index, _ := partsOf(snapshotsIn(n.opts.Dir)[0])
			if err := n.store.DeleteRange(index, 1<<62); err != nil {
				t.Fatal(err)
			}
		})
		cutOff(t, dir)
		refused(t, dir, "m1", "the log behind it ends at entry", "is lost")
	})
	t.Run("the one behind it", func(t *testing.T) {
		dir := restoredDir(t, func(n *Node) {
			if err := n.Snapshot(bounded(t)); err != nil {
				t.Fatal(err)
			}
		})
		cutOff(t, dir)
		started(t, dir)
	})
}

// A snapshot that only a later release can read is not passed over for the one before it.
func TestNewerSnapshot(t *testing.T) {
	dir := wholeDir(t, 1000)
	files, err := raft.NewFileSnapshotStore(dir, 2, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	all, err := files.List()
	if err != nil {
		t.Fatal(err)
	}
	m := all[0]
	_, peers := raft.NewInmemTransport("")
	sink, err := files.Create(m.Version, m.Index+1, m.Term, m.Configuration, m.ConfigurationIndex, peers)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sink.Write(append([]byte{notRegistry, snapshotLayout + 1}, make([]byte, 100)...))
	if err := errors.Join(err, sink.Close()); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "m1", dir, "the newest snapshot can not be read", "of layout 2", "upgrade it")
}

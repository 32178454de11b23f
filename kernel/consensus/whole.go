package consensus

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/raft"
)

// What a directory holds is judged as a whole before raft sees it: raft leaves out a
// snapshot that it can not read, and would begin with nothing where it was the only one.

// advice is what to do about a master that has lost something.
const advice = "remove this master from the cluster and let it join anew from an empty directory, or restore a snapshot if it was the only one"

// beganFile is there once raft.db is: from then on an empty one is a loss.
const beganFile = "began"

// keyName holds the name that this master has among the voters.
func keyName() []byte { return []byte("proffer-name") }

// refuseLost tells when raft.db is gone or empty and was there before.
func refuseLost(dir, path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is damaged (a directory stands in its place): what this master knew is lost; %s", path, advice)
	case err == nil && info.Size() > 0, err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil // opening it says more
	}
	what := "gone"
	if err == nil {
		what = "empty"
	}
	_, began := os.Lstat(filepath.Join(dir, beganFile))
	if began == nil || len(snapshotsIn(dir)) > 0 {
		return fmt.Errorf("%s is %s, and was not before: what this master knew is lost; %s", path, what, advice)
	}
	return nil
}

// noteBegun makes the next start expect a file that is not empty.
func noteBegun(dir string) error {
	path := filepath.Join(dir, beganFile)
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("note that this master has begun: %w", err)
	}
	return f.Close()
}

// checkName compares the master's name with the one that its log is of.
func (n *Node) checkName() error {
	stored, err := n.store.Get(keyName())
	if err != nil {
		return n.store.Set(keyName(), []byte(n.opts.Name))
	}
	if string(stored) != n.opts.Name {
		return fmt.Errorf("%s is the log of the master %q, and this one is called %q: its votes are not this one's; "+
			"write the first name into the file \"name\" beside the directory, if that was damaged or lost", n.store.db.Path(), stored, n.opts.Name)
	}
	return nil
}

// snapshotsIn are the names of the complete snapshots, newest first.
func snapshotsIn(dir string) []string {
	var ids []string
	entries, _ := os.ReadDir(filepath.Join(dir, "snapshots")) // none is as good as empty
	for _, e := range entries {
		if e.IsDir() && !strings.HasSuffix(e.Name(), ".tmp") {
			ids = append(ids, e.Name())
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		_, x, _ := partsOf(a)
		_, y, _ := partsOf(b)
		return cmp.Or(cmp.Compare(y, x), strings.Compare(b, a))
	})
	return ids
}

// partsOf reads term and index out of a snapshot's name, TERM-INDEX-MILLISECONDS.
func partsOf(id string) (term, index uint64, ok bool) {
	f := strings.Split(id, "-")
	if len(f) != 3 {
		return 0, 0, false
	}
	term, err1 := strconv.ParseUint(f[0], 10, 64)
	index, err2 := strconv.ParseUint(f[1], 10, 64)
	return term, index, err1 == nil && err2 == nil
}

// settleSnapshots finds the newest snapshot that is whole, and sets those aside that are
// newer and are not. Where the log does not say all that came behind it, the loss is an
// error: a master must not go on as if what is missing had never been.
func (n *Node) settleSnapshots(store raft.SnapshotStore) error {
	var best uint64
	var bad []string
	why := map[string]error{}
	for _, id := range snapshotsIn(n.opts.Dir) {
		_, index, _ := partsOf(id)
		if err := checkSnapshot(store, id); err != nil {
			bad = append(bad, id)
			why[id] = err
			continue
		}
		best = index
		break
	}
	whole, next, err := n.store.unbroken(best + 1)
	if err != nil {
		return err
	}
	place := filepath.Join(n.opts.Dir, "snapshots")
	newest := uint64(0) // what a bad one held, the log has to reach
	if len(bad) > 0 {
		_, newest, _ = partsOf(bad[0])
		newest = max(newest, 1)
	}
	if next > 0 || newest > whole {
		gap := fmt.Sprintf("ends at entry %d", whole)
		if next > 0 {
			gap = fmt.Sprintf("lacks the entries %d to %d", whole+1, next-1)
		}
		reason := "there is no snapshot of what came before"
		if len(bad) > 0 {
			reason = fmt.Sprintf("the snapshot %s is damaged: %v", bad[0], why[bad[0]])
		}
		return fmt.Errorf("%s is damaged (the newest whole snapshot ends at %d, and the log behind it %s; %s): what this master knew is lost; %s", place, best, gap, reason, advice)
	}
	for _, id := range bad {
		aside := filepath.Join(n.opts.Dir, "damaged", id)
		n.opts.Log.Error("a snapshot is damaged and set aside; nothing is lost: the one before it and the log say the same",
			"snapshot", filepath.Join(place, id), "error", why[id], "aside", aside, "used", best)
		if err := errors.Join(os.MkdirAll(filepath.Dir(aside), 0o700), os.RemoveAll(aside), os.Rename(filepath.Join(place, id), aside)); err != nil {
			return fmt.Errorf("set a damaged snapshot aside: %w", err)
		}
	}
	return nil
}

// checkSnapshot reads one snapshot through.
func checkSnapshot(store raft.SnapshotStore, id string) error {
	term, index, ok := partsOf(id)
	meta, content, err := store.Open(id)
	if err != nil {
		return err
	}
	if err := content.Close(); err != nil {
		return err
	}
	if !ok || meta.Version != raft.SnapshotVersionMax || meta.ID != id || meta.Term != term || meta.Index != index || len(meta.Configuration.Servers) == 0 {
		return errors.New("its meta.json does not fit its name")
	}
	return nil
}

package consensus

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"time"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
)

// BackupHead is the first line of a file of a saved cluster, as JSON; the snapshot of
// registry and store follows it.
type BackupHead struct {
	Format     string    `json:"format"` // backupFormat
	Cluster    string    `json:"cluster"`
	ClusterID  string    `json:"cluster_id"`
	Generation uint64    `json:"generation"`
	Index      uint64    `json:"index"` // of the last entry in it
	Saved      time.Time `json:"saved"`
	Release    string    `json:"release"`
	Size       int64     `json:"size"`   // of what follows, in bytes
	SHA256     string    `json:"sha256"` // of what follows, in hexadecimal
}

const backupFormat = "proffer-snapshot-1"

// maxBackupHead bounds the first line, in bytes.
const maxBackupHead = 4 << 10

// Save writes all that is replicated, as of now; only the leader can, because only it
// knows that nothing is missing.
func (n *Node) Save(ctx context.Context, w io.Writer) (BackupHead, error) {
	if err := n.VerifyLeader(ctx); err != nil {
		return BackupHead{}, err
	}
	if err := n.Barrier(ctx); err != nil {
		return BackupHead{}, err
	}
	inst, err := n.instance()
	if err != nil {
		return BackupHead{}, err
	}
	head := BackupHead{Format: backupFormat, Saved: time.Now().UTC(), Release: n.opts.Member.Release, Index: inst.raft.AppliedIndex()}
	im := n.fsm.save()
	head.Cluster, head.ClusterID, head.Generation = im.registry.ClusterName(), im.registry.ClusterID(), im.registry.Generation()
	return head, writeBackup(w, n.opts.Dir, head, im)
}

// writeBackup writes by way of a file, so that the size is known first and nothing has
// to fit into memory twice.
func writeBackup(w io.Writer, dir string, head BackupHead, im image) error {
	f, err := scratch(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	out := bufio.NewWriter(io.MultiWriter(f, sum))
	if err := im.write(out); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if head.Size, err = f.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	head.SHA256 = hex.EncodeToString(sum.Sum(nil))
	line, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if _, err := w.Write(append(line, '\n')); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}

// scratch is a file without a name; it ends with its descriptor.
func scratch(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "scratch-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// Backup is a saved cluster that was read whole and found undamaged.
type Backup struct {
	Head     BackupHead
	registry *registry.State
	store    *store.State
}

// ReadBackup reads what Save has written, and refuses what is damaged or newer.
func ReadBackup(r io.Reader) (*Backup, error) {
	in := bufio.NewReaderSize(r, maxBackupHead)
	line, err := in.ReadSlice('\n')
	b := &Backup{}
	if err != nil || json.Unmarshal(bytes.TrimSpace(line), &b.Head) != nil || b.Head.Format == "" {
		return nil, errors.New("this is no snapshot: it does not begin with the line that `proffer cluster snapshot save` writes")
	}
	if b.Head.Format != backupFormat {
		return nil, fmt.Errorf("the snapshot is of the format %q, this master knows %q: upgrade it", b.Head.Format, backupFormat)
	}
	body := &counted{r: io.LimitReader(in, b.Head.Size), sum: sha256.New()}
	whole := bufio.NewReader(body)
	b.registry, b.store, err = readSnapshot(whole)
	if err == nil {
		_, err = io.Copy(io.Discard, whole)
	}
	switch {
	case body.n < b.Head.Size:
		return nil, fmt.Errorf("the snapshot is cut off: %d of its %d bytes are there", body.n, b.Head.Size)
	case hex.EncodeToString(body.sum.Sum(nil)) != b.Head.SHA256:
		return nil, errors.New("the snapshot is damaged: its checksum does not fit")
	case err != nil:
		return nil, fmt.Errorf("the snapshot can not be read: %w", err)
	}
	return b, nil
}

type counted struct {
	r   io.Reader
	n   int64
	sum hash.Hash
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.sum.Write(p[:n])
	return n, err
}

// What every master must understand before anything is restored: registry commands of
// version 4 give no id of a life before, and who knows the store's of version 2 keeps its
// floor.
const (
	restoreCommand = 4
	restoreStore   = 2
)

// Restorable is an error while a master is too old for what Restore writes, whatever the
// backup holds: it could read neither the snapshot nor what is proposed after it.
func (n *Node) Restorable() error { return n.restorable(restoreCommand) }

// RestorableFrom is also an error while a master is too old for what this backup holds.
func (n *Node) RestorableFrom(b *Backup) error {
	return n.restorable(max(restoreCommand, b.registry.ReadableSince()))
}

func (n *Node) restorable(command uint32) (err error) {
	n.View(func(s *registry.State) {
		if s.CommonVersion() < command || s.CommonStore() < restoreStore {
			err = conflict("a master of this cluster is too old for a restore: finish the upgrade of the masters first (`proffer cluster members` shows their versions)")
		}
	})
	return err
}

// Restore puts a saved cluster in the place of what is replicated now; only the leader
// can, and whoever leads must begin anew afterwards. Generation and revisions become
// higher than any that the saved cluster has had, so that whatever was sent under them is
// fenced, and nothing is given a second time; the store's leases end. The voters stay who
// they are.
func (n *Node) Restore(ctx context.Context, b *Backup) error {
	if err := n.VerifyLeader(ctx); err != nil {
		return err
	}
	if err := n.RestorableFrom(b); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		n.growing.Lock() // raft is not to be started anew meanwhile
		defer n.growing.Unlock()
		if ctx.Err() != nil { // nobody waits for it any more, and it would come unawaited
			return
		}
		done <- n.restore(ctx, b)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return unavailable("restore the snapshot", ctx.Err())
	}
}

// restore returns when raft has done with it, however late. Callers hold n.growing.
func (n *Node) restore(ctx context.Context, b *Backup) error {
	inst, err := n.instance()
	if err != nil {
		return err
	}
	var generation uint64
	var members []registry.Member
	n.View(func(s *registry.State) { generation, members = s.Generation(), s.Members() })
	generation, floor := registry.Rebirth(time.Now(), max(generation, b.Head.Generation), max(inst.raft.LastIndex(), b.Head.Index))
	im := image{b.registry.Reborn(generation, members), b.store.Reborn(floor).Image()}
	f, err := scratch(n.opts.Dir)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	if err := im.write(out); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	meta := &raft.SnapshotMeta{Version: raft.SnapshotVersionMax, Index: floor, Size: size}
	asked, err := inst.ask(func() raft.Future {
		return call(func() error { return inst.raft.Restore(meta, f, remaining(ctx)) })
	})
	if err == nil {
		err = inst.answer(asked)
	}
	if err != nil {
		return unavailable("restore the snapshot", err)
	}
	return nil
}

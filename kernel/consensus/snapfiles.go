package consensus

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/raft"
)

// unfinished is how the library calls the folder of a snapshot that is being written.
const unfinished = ".tmp"

// snapshots are the library's files, of which it leaves those that it could not finish:
// on a full disk each try would take away some more of the room.
type snapshots struct {
	raft.SnapshotStore
	dir string
	log *slog.Logger
}

func openSnapshots(dir string, log *slog.Logger) (*snapshots, error) {
	files, err := raft.NewFileSnapshotStoreWithLogger(filepath.Clean(dir), 2, newBridge(log, "snapshots"))
	if err != nil {
		return nil, fmt.Errorf("snapshots in %s: %w", dir, err)
	}
	s := &snapshots{SnapshotStore: files, dir: filepath.Join(dir, "snapshots"), log: log}
	entries, err := os.ReadDir(s.dir)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), unfinished) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.dir, e.Name())))
		}
	}
	return s, err
}

// List gives the newest only. One that is whole and that this release can not read, raft
// would pass over for an older one, and this master would know less than it had.
func (s *snapshots) List() ([]*raft.SnapshotMeta, error) {
	all, err := s.SnapshotStore.List()
	return all[:min(1, len(all))], err
}

// Create begins one.
func (s *snapshots) Create(version raft.SnapshotVersion, index, term uint64, c raft.Configuration, at uint64, trans raft.Transport) (raft.SnapshotSink, error) {
	sink, err := s.SnapshotStore.Create(version, index, term, c, at, trans)
	if err != nil {
		s.failed(err)
		return nil, err
	}
	return &snapshotSink{SnapshotSink: sink, of: s}, nil
}

func (s *snapshots) failed(err error) {
	s.log.Error("no snapshot could be written; this master goes on, and its log grows until one can; see whether there is room, and what is wrong with the disk",
		"dir", s.dir, "error", err)
}

type snapshotSink struct {
	raft.SnapshotSink
	of   *snapshots
	told bool
}

// failed says why and removes what there is of it.
func (s *snapshotSink) failed(err error) error {
	if err == nil {
		return nil
	}
	if !s.told {
		s.told = true
		s.of.failed(err)
	}
	return errors.Join(err, os.RemoveAll(filepath.Join(s.of.dir, s.ID()+unfinished)))
}

// Write is a part of it.
func (s *snapshotSink) Write(b []byte) (int, error) {
	n, err := s.SnapshotSink.Write(b)
	return n, s.failed(err)
}

// Close finishes it.
func (s *snapshotSink) Close() error { return s.failed(s.SnapshotSink.Close()) }

// Cancel throws it away.
func (s *snapshotSink) Cancel() error { return s.failed(s.SnapshotSink.Cancel()) }

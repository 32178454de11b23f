package consensus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// openStore opens DIR/raft.db. An existing file is read through first: bbolt
// itself panics, or dies of a bus error, on a file that was cut off.
func openStore(dir string, fatal func(error)) (*logStore, error) {
	path := filepath.Join(dir, "raft.db")
	if err := refuseLost(dir, path); err != nil {
		return nil, err
	}
	if err := verifyFile(path); err != nil {
		return nil, err
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		Timeout:        lockTimeout, // a second master on this directory is told so instead of hanging
		NoFreelistSync: true,        // the freelist is found again at open; writing it costs at every commit
		FreelistType:   bolt.FreelistMapType,
	})
	if err != nil {
		return nil, openError(path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		if _, err := tx.CreateBucketIfNotExists(bucketLogs()); err != nil {
			return err
		}
		_, err := tx.CreateBucketIfNotExists(bucketStable())
		return err
	})
	if err != nil {
		return nil, errors.Join(diskFailed(path, "the first pages", err), db.Close())
	}
	if err := noteBegun(dir); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &logStore{db: db, fatal: fatal}, nil
}

const lockTimeout = time.Second

func openError(path string, err error) error {
	if errors.Is(err, berrors.ErrTimeout) {
		return fmt.Errorf("%s is in use by another master: stop that one, or use another directory", path)
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EIO) {
		return diskFailed(path, "the first pages", err)
	}
	return fmt.Errorf("open %s: %w", path, err)
}

// verifyFile reads every page and entry of the file once, turning what a damaged
// file does to bbolt (a panic, a fault of the mapped memory) into a sentence.
func verifyFile(path string) (err error) {
	if info, serr := os.Stat(path); errors.Is(serr, fs.ErrNotExist) || (serr == nil && info.Size() == 0) {
		return nil
	}
	damaged := func(why any) error {
		return fmt.Errorf("%s is damaged (%v): what this master knew is lost; %s", path, why, advice)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged(p)
		}
	}()
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout, ReadOnly: true})
	if errors.Is(err, berrors.ErrTimeout) {
		return openError(path, err)
	}
	if err != nil {
		return damaged(err)
	}
	defer db.Close()
	werr := db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				if string(name) != string(bucketLogs()) {
					return nil
				}
				if len(k) != 8 {
					return errors.New("a log index is not 8 bytes")
				}
				var l raft.Log
				return decodeEntry(indexOf(k), v, &l)
			})
		})
	})
	if werr != nil {
		return damaged(werr)
	}
	return nil
}

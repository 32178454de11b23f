package checkpoint

import (
	"io"
	"os"
	"path/filepath"
)

// FS is all that the log needs of a file system: five operations, so that a test's
// double can lose what was not synced.
type FS interface {
	// Open opens a file for reading and writing, and makes it when create says so.
	Open(name string, create bool) (File, error)
	// Rename replaces newname. It is durable only after SyncDir.
	Rename(oldname, newname string) error
	// Remove removes a file; one that does not exist is no error.
	Remove(name string) error
	// SyncDir makes names in the directory durable.
	SyncDir(dir string) error
	// MakeDir makes the directory and those above it, 0700.
	MakeDir(dir string) error
}

// File is an open file of an FS.
type File interface {
	io.Reader
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	// Sync makes content and length durable. After an error nothing is known about
	// what is on the disk, and a second try would lie.
	Sync() error
}

// disk is the FS of the machine.
type disk struct{}

func (disk) Open(name string, create bool) (File, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	return os.OpenFile(name, flags, 0o600)
}

func (disk) Rename(oldname, newname string) error { return os.Rename(oldname, newname) }

func (disk) Remove(name string) error {
	if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

func (disk) SyncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (disk) MakeDir(dir string) error { return os.MkdirAll(dir, 0o700) }

package fetch

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/profferhq/proffer/sdk"
)

// sink is the sandbox that is written to, and what may still be written.
type sink struct {
	root   *os.Root
	limits Limits
	own    func(name string) error // gives a new file or directory to the task's user

	unpacked int64
	files    int
}

// create makes a file and the directories above it. It never follows a link out of the
// sandbox, and never writes through one: a file that is in the way is replaced.
func (s *sink) create(name string, exec bool) (*os.File, error) {
	if err := s.mkdir(filepath.Dir(name)); err != nil {
		return nil, err
	}
	if err := s.root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	mode := os.FileMode(0o644)
	if exec {
		mode = 0o755
	}
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Chmod(mode), s.own(name)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// mkdir makes a directory and those above it, each the task user's.
func (s *sink) mkdir(name string) error {
	if name == "." {
		return nil
	}
	if err := s.mkdir(filepath.Dir(name)); err != nil {
		return err
	}
	err := s.root.Mkdir(name, 0o755)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.own(name)
}

// put writes a file from a reader and checks its digest.
func (s *sink) put(it item, from io.Reader) (err error) {
	f, err := s.create(it.name, it.exec)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(f, io.TeeReader(from, sum))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if it.sha256 != nil && !bytes.Equal(sum.Sum(nil), it.sha256) {
		_ = s.root.Remove(it.name)
		return sdk.Errorf(sdk.CodeInvalid, "", "the content has the digest %x, not the wanted one", sum.Sum(nil))
	}
	return nil
}

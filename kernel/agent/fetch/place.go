package fetch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/profferhq/proffer/kernel/agent/users"
)

// box is the sandbox, open. Every name in it is looked up through os.Root: no "..",
// no link and no race leads out.
type box struct {
	root  *os.Root
	owner *users.Identity // not nil when this process is root and must give things away
}

func openBox(dir string, owner *users.Identity) (*box, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the sandbox: %w", err)
	}
	return &box{root: root, owner: owner}, nil
}

func (b *box) close() { b.root.Close() }

// dirs makes the directories above name.
func (b *box) dirs(name string) error {
	dir := path.Dir(name)
	if dir == "." {
		return nil
	}
	if err := b.dirs(dir); err != nil {
		return err
	}
	return b.dir(dir, 0o755)
}

// dir makes one directory; one that exists is as good.
func (b *box) dir(name string, mode fs.FileMode) error {
	err := b.root.Mkdir(name, mode)
	if errors.Is(err, fs.ErrExist) {
		st, e := b.root.Lstat(name)
		if e == nil && st.IsDir() {
			return nil
		}
		return fmt.Errorf("%s is in the way: %w", name, err)
	}
	if err != nil {
		return err
	}
	return b.give(name)
}

func (b *box) give(name string) error {
	if b.owner == nil {
		return nil
	}
	return b.root.Lchown(name, int(b.owner.UID), int(b.owner.GID))
}

// create makes a fresh file in place of what has that name; what was a link is
// replaced, not followed.
func (b *box) create(name string, mode fs.FileMode) (*os.File, error) {
	if err := b.dirs(name); err != nil {
		return nil, err
	}
	if st, err := b.root.Lstat(name); err == nil {
		if st.IsDir() {
			return nil, fmt.Errorf("%s is a directory: %w", name, fs.ErrExist)
		}
		if err := b.root.Remove(name); err != nil {
			return nil, err
		}
	}
	f, err := b.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if b.owner != nil {
		err = f.Chown(int(b.owner.UID), int(b.owner.GID))
	}
	// Not by OpenFile, whose mode the umask would cut.
	if err := errors.Join(err, f.Chmod(mode)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// write makes a file from a reader.
func (b *box) write(name string, mode fs.FileMode, r io.Reader) error {
	f, err := b.create(name, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// modeOf is that of a fetched file.
func (it *item) modeOf() fs.FileMode {
	if it.executable {
		return 0o755
	}
	return 0o644
}

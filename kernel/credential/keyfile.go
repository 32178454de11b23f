package credential

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// NewKey makes a random key.
func NewKey() Key {
	var k Key
	_, _ = rand.Read(k[:]) // never fails; the runtime ends the process instead
	return k
}

// ReadKeyFile reads a key file. A file that others can read is refused, because
// whoever reads it can be any master.
func ReadKeyFile(path string) (Key, error) {
	text, err := readSecret(path)
	if err != nil {
		return Key{}, err
	}
	k, err := ParseKey(text)
	if err != nil {
		return Key{}, fmt.Errorf("key file %s: %w", path, err)
	}
	return k, nil
}

// CreateKeyFile makes a new key and its file (0600), durable before it returns.
// An existing file is kept and read instead: two starters at once get one key.
func CreateKeyFile(path string) (Key, error) {
	k := NewKey()
	err := WriteKeyFile(path, k)
	if errors.Is(err, fs.ErrExist) {
		return ReadKeyFile(path)
	}
	if err != nil {
		return Key{}, err
	}
	return k, nil
}

// WriteKeyFile writes a key to a new file (0600), durable before it returns; an error that
// is fs.ErrExist when there is one already.
func WriteKeyFile(path string, k Key) error {
	if err := writeOnce(path, k.Hex()+"\n"); err != nil {
		return fmt.Errorf("create key file: %w", err)
	}
	return nil
}

// WriteTokenFile writes a token (0600), replacing an older one in one step.
func WriteTokenFile(path, token string) error {
	tmp := path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write token file: %w", err)
	}
	if err := writeOnce(tmp, token+"\n"); err != nil {
		return fmt.Errorf("write token file: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write token file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// ReadTokenFile reads a token file with the same care as ReadKeyFile.
func ReadTokenFile(path string) (string, error) {
	text, err := readSecret(path)
	return strings.TrimSpace(text), err
}

func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read secret file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("read secret file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", sdk.Errorf(sdk.CodeInvalid, "", "%s is not a regular file", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", sdk.Errorf(sdk.CodeInvalid, "", "%s can be read by others (mode %04o); set it to 0600", path, info.Mode().Perm())
	}
	buf := make([]byte, maxToken+2)
	n, err := f.Read(buf)
	if err != nil && n == 0 {
		return "", sdk.Errorf(sdk.CodeInvalid, "", "%s is empty or unreadable: %v", path, err)
	}
	return string(buf[:n]), nil
}

// writeOnce makes a file that did not exist, durable and complete: the content
// is written under another name and linked, so that nobody reads half a key.
func writeOnce(path, text string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".secret-*") // CreateTemp makes it 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.WriteString(text); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

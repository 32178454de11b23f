package fetch

import (
	"archive/tar"
	"archive/zip"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ulikunitz/xz"

	"github.com/profferhq/proffer/sdk"
)

// extract unpacks the archive that was fetched, beside it, and keeps the archive as Mesos
// does.
func (s *sink) extract(it item) error {
	f, err := s.root.Open(it.name)
	if err != nil {
		return err
	}
	defer f.Close()
	if it.unpack == "zip" {
		st, err := f.Stat()
		if err != nil {
			return err
		}
		return s.unzip(f, st.Size())
	}
	from, err := decompress(it.unpack, f)
	if err != nil {
		return sdk.Errorf(sdk.CodeInvalid, "", "it is no %s archive: %v", it.unpack, err)
	}
	if it.unpack == "gz" {
		return s.entry(strings.TrimSuffix(it.name, ".gz"), 0o644, from)
	}
	return s.untar(from)
}

func decompress(kind string, f io.Reader) (io.Reader, error) {
	switch kind {
	case "tar.gz", "gz":
		return gzip.NewReader(f)
	case "tar.bz2":
		return bzip2.NewReader(f), nil
	case "tar.xz":
		return xz.NewReader(f)
	}
	return f, nil
}

// untar writes regular files and directories. A link is taken only where it is relative and
// stays inside; devices, FIFOs and sockets are refused.
func (s *sink) untar(from io.Reader) error {
	for r := tar.NewReader(from); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return sdk.Errorf(sdk.CodeInvalid, "", "the archive is damaged: %v", err)
		}
		name, err := entryName(h.Name)
		if err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeReg:
			err = s.entry(name, h.FileInfo().Mode(), r)
		case tar.TypeDir:
			err = s.count(s.mkdir(name))
		case tar.TypeSymlink:
			err = s.symlink(name, h.Linkname)
		case tar.TypeXGlobalHeader:
		default:
			err = sdk.Errorf(sdk.CodeInvalid, "", "the archive's %q is neither file, directory nor link", clip(h.Name))
		}
		if err != nil {
			return err
		}
	}
}

func (s *sink) unzip(f io.ReaderAt, size int64) error {
	r, err := zip.NewReader(f, size)
	if err != nil {
		return sdk.Errorf(sdk.CodeInvalid, "", "it is no zip archive: %v", err)
	}
	for _, e := range r.File {
		name, err := entryName(e.Name)
		if err != nil {
			return err
		}
		if e.Mode().IsDir() {
			if err := s.count(s.mkdir(name)); err != nil {
				return err
			}
			continue
		}
		if !e.Mode().IsRegular() {
			return sdk.Errorf(sdk.CodeInvalid, "", "the archive's %q is neither file nor directory", clip(e.Name))
		}
		from, err := e.Open()
		if err != nil {
			return sdk.Errorf(sdk.CodeInvalid, "", "the archive's %q can not be read: %v", clip(e.Name), err)
		}
		err = s.entry(name, e.Mode(), from)
		if err = errors.Join(err, from.Close()); err != nil {
			return err
		}
	}
	return nil
}

// entryName refuses names that would leave the sandbox.
func entryName(name string) (string, error) {
	clean := filepath.Clean(name)
	if !filepath.IsLocal(clean) {
		return "", sdk.Errorf(sdk.CodeInvalid, "", "the archive's %q does not stay in the sandbox", clip(name))
	}
	return clean, nil
}

// entry writes one file of an archive within the bounds. Of its mode only the right to
// execute counts: no set-uid bit comes out of an archive.
func (s *sink) entry(name string, mode os.FileMode, from io.Reader) error {
	f, err := s.create(name, mode&0o111 != 0)
	if err != nil {
		return err
	}
	left := s.limits.UnpackBytes - s.unpacked
	n, err := io.Copy(f, io.LimitReader(from, left+1))
	s.unpacked += n
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if n > left {
		return sdk.Errorf(sdk.CodeTooLarge, "", "the archives unpack to more than %d bytes", s.limits.UnpackBytes)
	}
	return s.count(nil)
}

func (s *sink) symlink(name, target string) error {
	if filepath.IsAbs(target) || !filepath.IsLocal(filepath.Join(filepath.Dir(name), target)) {
		return sdk.Errorf(sdk.CodeInvalid, "", "the archive's link %q leads out of the sandbox", clip(name))
	}
	if err := s.mkdir(filepath.Dir(name)); err != nil {
		return err
	}
	return s.count(s.root.Symlink(target, name))
}

// count bounds the number of entries.
func (s *sink) count(err error) error {
	if err != nil {
		return err
	}
	if s.files++; s.files > s.limits.UnpackFiles {
		return sdk.Errorf(sdk.CodeTooLarge, "", "the archives have more than %d entries", s.limits.UnpackFiles)
	}
	return nil
}

package fetch

import (
	"archive/tar"
	"archive/zip"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/ulikunitz/xz"

	"github.com/profferhq/proffer/sdk"
)

// archiveKind tells by the name what an archive is, empty when it is none.
func archiveKind(name string) string {
	name = strings.ToLower(name)
	for _, k := range []struct{ suffix, kind string }{
		{".tar", "tar"}, {".tar.gz", "tar.gz"}, {".tgz", "tar.gz"},
		{".tar.bz2", "tar.bz2"}, {".tbz2", "tar.bz2"}, {".tar.xz", "tar.xz"}, {".txz", "tar.xz"},
		{".zip", "zip"}, {".gz", "gz"}, // .gz last: .tar.gz has been looked for before
	} {
		if strings.HasSuffix(name, k.suffix) && len(name) > len(k.suffix) {
			return k.kind
		}
	}
	return ""
}

// unpack unpacks an archive into the sandbox; the archive itself stays, as in Mesos.
func (f *fetcher) unpack(ctx context.Context, it *item) error {
	file, err := f.box.root.Open(it.name)
	if err != nil {
		return err
	}
	defer file.Close()
	src := &cancelReader{ctx, file}
	switch it.unpack {
	case "zip":
		st, err := file.Stat()
		if err != nil {
			return err
		}
		return f.unzip(ctx, file, st.Size())
	case "gz":
		r, err := gzip.NewReader(src)
		if err != nil {
			return err
		}
		return f.file(strings.TrimSuffix(it.name, path.Ext(it.name)), 0o644, r)
	}
	r, err := decompress(it.unpack, src)
	if err != nil {
		return err
	}
	return f.untar(r)
}

func decompress(kind string, r io.Reader) (io.Reader, error) {
	switch kind {
	case "tar.gz":
		return gzip.NewReader(r)
	case "tar.bz2":
		return bzip2.NewReader(r), nil
	case "tar.xz":
		return xz.NewReader(r)
	}
	return r, nil
}

func (f *fetcher) untar(r io.Reader) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := f.entry(h.Name)
		if err != nil {
			return err
		}
		mode := fs.FileMode(h.Mode) & 0o777 // no setuid, setgid, sticky
		switch h.Typeflag {
		case tar.TypeDir:
			err = f.directory(name, mode)
		case tar.TypeReg, tar.TypeGNUSparse:
			err = f.file(name, mode, t)
		case tar.TypeSymlink:
			err = f.symlink(name, h.Linkname)
		case tar.TypeLink:
			err = f.hardLink(name, h.Linkname)
		case tar.TypeXGlobalHeader:
			continue // git puts its commit there
		default:
			return refusal(name, "is neither a file, a directory nor a link")
		}
		if err != nil {
			return err
		}
	}
}

func (f *fetcher) unzip(ctx context.Context, file io.ReaderAt, size int64) error {
	z, err := zip.NewReader(file, size)
	if err != nil {
		return err
	}
	for _, e := range z.File {
		name, err := f.entry(strings.TrimSuffix(e.Name, "/"))
		if err != nil {
			return err
		}
		if err := f.zipEntry(ctx, name, e); err != nil {
			return err
		}
	}
	return nil
}

func (f *fetcher) zipEntry(ctx context.Context, name string, e *zip.File) error {
	mode := e.Mode()
	switch {
	case mode.IsDir() || strings.HasSuffix(e.Name, "/"):
		return f.directory(name, 0o755)
	case mode&fs.ModeSymlink != 0:
		r, err := e.Open()
		if err != nil {
			return err
		}
		defer r.Close()
		target, err := io.ReadAll(io.LimitReader(r, 4096))
		if err != nil {
			return err
		}
		return f.symlink(name, string(target))
	case !mode.IsRegular():
		return refusal(name, "is neither a file, a directory nor a link")
	}
	r, err := e.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	perm := mode.Perm()
	if perm == 0 {
		perm = 0o644 // made where there are no modes
	}
	return f.file(name, perm, &cancelReader{ctx, r})
}

// entry counts an entry and checks its name. The root of the archive itself is ".".
func (f *fetcher) entry(name string) (string, error) {
	if f.entries++; f.entries > f.limits.UnpackFiles {
		return "", sdk.Errorf(sdk.CodeTooLarge, "", "the archives of one task may not have more than %d entries", f.limits.UnpackFiles)
	}
	clean := filepath.Clean(name)
	if clean == "." && name != "" {
		return ".", nil
	}
	if err := checkName(name); err != nil {
		return "", sdk.Errorf(sdk.CodeInvalid, "", "%v", err)
	}
	return clean, nil
}

func refusal(name, why string) error {
	return sdk.Errorf(sdk.CodeInvalid, "", "the entry %q %s", name, why)
}

// directory makes one that its owner can use, whatever the archive says.
func (f *fetcher) directory(name string, mode fs.FileMode) error {
	if name == "." {
		return nil
	}
	if err := f.box.dirs(name); err != nil {
		return err
	}
	return f.box.dir(name, mode|0o700)
}

func (f *fetcher) file(name string, mode fs.FileMode, r io.Reader) error {
	if name == "." {
		return refusal(name, "is the sandbox itself")
	}
	bounded := &boundedReader{r: r, left: f.limits.UnpackBytes - f.unpacked, over: func() error {
		return sdk.Errorf(sdk.CodeTooLarge, "", "the archives of one task may not unpack to more than %d bytes", f.limits.UnpackBytes)
	}}
	err := f.box.write(name, mode|0o600, bounded)
	f.unpacked = f.limits.UnpackBytes - bounded.left
	return err
}

// symlink makes a link that leads to another place in the sandbox, and refuses all
// others: nothing could be written through them here, but the task itself, or who
// reads its files, would follow.
func (f *fetcher) symlink(name, target string) error {
	if name == "." || !staysInside(name, target) {
		return refusal(name, fmt.Sprintf("is a link to %q, which leads out of the sandbox", target))
	}
	if err := f.clear(name); err != nil {
		return err
	}
	if err := f.box.root.Symlink(target, name); err != nil {
		return err
	}
	return f.box.give(name)
}

// staysInside judges a link by its text. That is exact, because no entry is ever put
// behind a link (dirs refuses that), and because "..", once a name has been passed,
// is refused: that name may be a link.
func staysInside(name, target string) bool {
	if target == "" || filepath.IsAbs(target) || strings.ContainsRune(target, 0) {
		return false
	}
	down := false
	for _, part := range strings.Split(target, "/") {
		switch part {
		case "", ".":
		case "..":
			if down {
				return false
			}
		default:
			down = true
		}
	}
	return filepath.IsLocal(filepath.Join(path.Dir(name), target))
}

// hardLink makes a second name of a file that the archive has brought.
func (f *fetcher) hardLink(name, target string) error {
	clean := filepath.Clean(target)
	if err := checkName(target); err != nil {
		return refusal(name, fmt.Sprintf("is a link to %q, which leads out of the sandbox", target))
	}
	st, err := f.box.root.Lstat(clean)
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() || name == "." {
		return refusal(name, fmt.Sprintf("is a hard link to %q, which is no file", target))
	}
	if clean == name {
		return nil
	}
	if err := f.clear(name); err != nil {
		return err
	}
	return f.box.root.Link(clean, name)
}

// clear makes place for a link.
func (f *fetcher) clear(name string) error {
	if err := f.box.dirs(name); err != nil {
		return err
	}
	if st, err := f.box.root.Lstat(name); err == nil {
		if st.IsDir() {
			return fmt.Errorf("%s is a directory: %w", name, fs.ErrExist)
		}
		return f.box.root.Remove(name)
	}
	return nil
}

package fetch

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/agent/users"
	"github.com/profferhq/proffer/sdk"
)

// TestMain lets the test binary be the fetcher's process.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "be-the-fetcher" {
		if err := Main(context.Background(), os.Stdin); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fetchInto fetches into a new sandbox, by a process of its own where one is needed.
func fetchInto(t *testing.T, change func(*Options), uris ...sdk.URI) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := Options{Command: []string{self, "be-the-fetcher"}, Limits: DefaultLimits()}
	if change != nil {
		change(&o)
	}
	return dir, Fetch(context.Background(), o, Task{URIs: uris, Sandbox: dir, User: users.Identity{}})
}

func content(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func data(text string) string {
	return "data:;base64," + base64.StdEncoding.EncodeToString([]byte(text))
}

func TestInlineFiles(t *testing.T) {
	dir, err := fetchInto(t, nil, sdk.URI{Value: data("one"), OutputFile: "a"}, sdk.URI{Value: "data:,t%77o", OutputFile: "deep/er/b", Executable: true})
	if err != nil {
		t.Fatal(err)
	}
	if content(t, dir, "a") != "one" || content(t, dir, "deep/er/b") != "two" {
		t.Error("the files hold something else")
	}
	if st, err := os.Stat(filepath.Join(dir, "deep/er/b")); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("the program: %v, %v", st, err)
	}
}

func TestInlineTooLarge(t *testing.T) {
	half := strings.Repeat("x", 300<<10)
	_, err := fetchInto(t, nil, sdk.URI{Value: data(half), OutputFile: "a"}, sdk.URI{Value: data(half), OutputFile: "b"})
	if sdk.CodeOf(err) != sdk.CodeTooLarge || !strings.Contains(err.Error(), "614400 bytes") {
		t.Errorf("two halves of too much: %v", err)
	}
}

func TestRefused(t *testing.T) {
	for _, row := range []struct{ value, output, says string }{
		{"data:;base64,!!!!", "a", "base64"},
		{"data:,%zz", "a", "percent"},
		{"data:nothing", "a", "comma"},
		{"data:,x", "", "must be given"},
		{"data:,x", "../a", "sandbox"},
		{"data:,x", "/etc/passwd", "sandbox"},
		{"data:,x", ".", "sandbox"},
		{"ftp://host/x", "", "does not fetch"},
		{"http:///x", "", "no valid http"},
		{"/etc/hostname", "", "does not allow"},
		{"file:///etc/hostname", "", "does not allow"},
		{"http://h/x#sha256=12", "", "64 hexadecimal"},
	} {
		if _, err := fetchInto(t, nil, sdk.URI{Value: row.value, OutputFile: row.output}); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%q as %q: %v, which should speak of %q", row.value, row.output, err, row.says)
		}
	}
}

func TestDownload(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/prog":
			_, _ = io.WriteString(w, "#!/bin/sh\n")
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/away":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("#!/bin/sh\n")))
	dir, err := fetchInto(t, nil, sdk.URI{Value: srv.URL + "/prog#sha256=" + sum, Executable: true})
	if err != nil || content(t, dir, "prog") != "#!/bin/sh\n" {
		t.Fatal(err)
	}
	for path, says := range map[string]string{"/missing": "404", "/loop": "redirects", "/away": "redirect to file", "/prog#sha256=" + strings.Repeat("0", 64): "digest"} {
		if _, err := fetchInto(t, nil, sdk.URI{Value: srv.URL + path}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, which should speak of %q", path, err, says)
		}
	}
	if _, err := fetchInto(t, func(o *Options) { o.Limits.DownloadBytes = 5 }, sdk.URI{Value: srv.URL + "/prog"}); err == nil || !strings.Contains(err.Error(), "more than 5 bytes") {
		t.Errorf("above the bound: %v", err)
	}
}

func TestStall(t *testing.T) {
	hold := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "a little")
		w.(http.Flusher).Flush()
		<-hold
	}))
	defer srv.Close()
	defer close(hold)
	if _, err := fetchInto(t, func(o *Options) { o.Limits.Stall = 200 * time.Millisecond }, sdk.URI{Value: srv.URL + "/x"}); err == nil || !strings.Contains(err.Error(), "nothing came") {
		t.Errorf("a server that stalls: %v", err)
	}
}

// entry is one member of a test archive.
type entry struct {
	name, body, link string
	kind             byte
	mode             int64
}

func tgz(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(tarOf(t, entries...)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Size: int64(len(e.body)), Mode: e.mode}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func serve(t *testing.T, body []byte) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestExtract(t *testing.T) {
	url := serve(t, tgz(t, entry{name: "d/", kind: tar.TypeDir, mode: 0o755}, entry{name: "d/run", body: "go", mode: 0o4755},
		entry{name: "d/link", kind: tar.TypeSymlink, link: "run"}))
	dir, err := fetchInto(t, nil, sdk.URI{Value: url + "/a.tar.gz"})
	if err != nil || content(t, dir, "d/link") != "go" {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(dir, "d/run")); err != nil || st.Mode() != 0o755 {
		t.Errorf("the set-uid bit must go: %v, %v", st.Mode(), err)
	}
	no := false
	if dir, err = fetchInto(t, nil, sdk.URI{Value: url + "/a.tar.gz", Extract: &no}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "d")); err == nil {
		t.Error("it was unpacked although that was not asked for")
	}
}

func TestHostileArchives(t *testing.T) {
	for name, e := range map[string][]entry{
		"parent":        {{name: "../evil", body: "x"}},
		"absolute":      {{name: "/tmp/evil", body: "x"}},
		"link out":      {{name: "l", kind: tar.TypeSymlink, link: "../../etc"}},
		"link by link":  {{name: "p/a", kind: tar.TypeSymlink, link: ".."}, {name: "p/b", kind: tar.TypeSymlink, link: "a/.."}},
		"behind a link": {{name: "p/a", kind: tar.TypeSymlink, link: ".."}, {name: "p/a/l", kind: tar.TypeSymlink, link: "../x"}},
		"through link":  {{name: "l", kind: tar.TypeSymlink, link: "d"}, {name: "d/", kind: tar.TypeDir}, {name: "l/x", body: "x"}},
		"absolute link": {{name: "l", kind: tar.TypeSymlink, link: "/etc"}},
		"hard link":     {{name: "l", kind: tar.TypeLink, link: "/etc/passwd"}},
		"device":        {{name: "d", kind: tar.TypeBlock}},
		"FIFO":          {{name: "f", kind: tar.TypeFifo}},
	} {
		url := serve(t, tgz(t, e...))
		if _, err := fetchInto(t, nil, sdk.URI{Value: url + "/a.tgz"}); err == nil {
			t.Errorf("%s was unpacked", name)
		}
	}
	many := make([]entry, 50)
	for i := range many {
		many[i] = entry{name: fmt.Sprint(i)}
	}
	url := serve(t, tgz(t, many...))
	if _, err := fetchInto(t, func(o *Options) { o.Limits.UnpackFiles = 20 }, sdk.URI{Value: url + "/a.tgz"}); err == nil || !strings.Contains(err.Error(), "more than 20 entries") {
		t.Errorf("too many entries: %v", err)
	}
	url = serve(t, tgz(t, entry{name: "zeros", body: strings.Repeat("\x00", 1<<20)}))
	if _, err := fetchInto(t, func(o *Options) { o.Limits.UnpackBytes = 1 << 16 }, sdk.URI{Value: url + "/a.tgz"}); err == nil || !strings.Contains(err.Error(), "more than 65536 bytes") {
		t.Errorf("a bomb: %v", err)
	}
}

func TestZip(t *testing.T) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range []string{"a/b", "../evil"} {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(f, "zipped")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir, err := fetchInto(t, nil, sdk.URI{Value: serve(t, buf.Bytes()) + "/a.zip"})
	if err == nil || !strings.Contains(err.Error(), "sandbox") || content(t, dir, "a/b") != "zipped" {
		t.Errorf("a zip with one name that leads out: %v", err)
	}
}

// TestAsTheTasksUser: the fetcher's process is the task's user, sees nothing of our
// environment, and ends with its agent.
func TestAsTheTasksUser(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("PROFFER_TEST_NOSKIP") != "" {
			t.Fatal("needs root")
		}
		t.Skip("needs root to change users")
	}
	nobody := users.Identity{Name: "nobody", UID: 65534, GID: 65534, Switch: true}
	dir, err := os.MkdirTemp("", "fetch") // t.TempDir cannot be walked by others
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	sandbox, self := filepath.Join(dir, "sandbox"), filepath.Join(dir, "fetcher")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{os.Chmod(dir, 0o755), os.Mkdir(sandbox, 0o700), os.Chown(sandbox, 65534, 65534), os.WriteFile(self, text, 0o755), os.WriteFile(filepath.Join(dir, "secret"), nil, 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Command: []string{self, "be-the-fetcher"}, Limits: DefaultLimits(), AllowFile: true}
	task := Task{Sandbox: sandbox, User: nobody, URIs: []sdk.URI{{Value: "/etc/hostname", OutputFile: "a/b"}, {Value: data("x"), OutputFile: "c"}}}
	if err := Fetch(context.Background(), o, task); err != nil {
		t.Fatal(err)
	}
	task.URIs = []sdk.URI{{Value: data("y"), OutputFile: "d/e"}}
	if err := Fetch(context.Background(), o, task); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "a/b", "c", "d", "d/e"} {
		st, err := os.Lstat(filepath.Join(sandbox, name))
		if err != nil || st.Sys().(*syscall.Stat_t).Uid != 65534 {
			t.Errorf("%s: %+v, %v", name, st, err)
		}
	}
	task.URIs = []sdk.URI{{Value: filepath.Join(dir, "secret")}}
	if err := Fetch(context.Background(), o, task); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("a file that the task's user cannot read: %v", err)
	}
}

// TestEndsWithItsAgent: when the pipe from the agent ends, so does the download.
func TestEndsWithItsAgent(t *testing.T) {
	hold, asked := make(chan struct{}), make(chan struct{}, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(hold)
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		q, err := readRequest(r)
		if err == nil {
			err = serveRequest(context.Background(), r, q)
		}
		ended <- err
	}()
	l := DefaultLimits()
	if err := writeRequest(w, Options{Limits: l}, Task{Sandbox: t.TempDir(), URIs: []sdk.URI{{Value: srv.URL + "/x"}}}); err != nil {
		t.Fatal(err)
	}
	<-asked
	w.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it claims to have fetched")
		}
	case <-time.After(10 * time.Second):
		t.Error("it goes on without its agent")
	}
}

func TestFullDiskKeepsItsReason(t *testing.T) {
	err := failure("write a: no space left on device\n")
	if !errors.Is(err, syscall.ENOSPC) || err.Error() != "write a: no space left on device" {
		t.Errorf("%v", err)
	}
	if err := failure("no such host"); errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
}

func TestArchiveKinds(t *testing.T) {
	for name, want := range map[string]string{
		"a.tar": "tar", "a.tar.gz": "tar.gz", "A.TGZ": "tar.gz", "a.tar.bz2": "tar.bz2", "a.tbz2": "tar.bz2",
		"a.tar.xz": "tar.xz", "a.txz": "tar.xz", "a.zip": "zip", "a.gz": "gz", "a.jar": "", ".gz": "", "gz": "",
	} {
		if got := archiveKind(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	yes, uri := true, sdk.URI{Value: "data:,x", OutputFile: "a.tar"}
	for _, tt := range []struct {
		extract *bool
		want    string
	}{{nil, ""}, {&yes, "tar"}} {
		uri.Extract = tt.extract
		items, err := plan([]sdk.URI{uri}, false, DefaultLimits())
		if err != nil || items[0].unpack != tt.want {
			t.Errorf("%+v, %v", items, err)
		}
	}
}

func FuzzPlan(f *testing.F) {
	for _, s := range []string{"data:;base64,aGk=", "data:,x%", "http://h/a.tar.gz#sha256=00", "file:///x", "//", "data:" + strings.Repeat("a", 100)} {
		f.Add(s, "out")
	}
	f.Fuzz(func(t *testing.T, value, out string) {
		items, err := plan([]sdk.URI{{Value: value, OutputFile: out}}, true, DefaultLimits())
		if err == nil && !filepath.IsLocal(items[0].name) {
			t.Errorf("%q as %q goes to %q", value, out, items[0].name)
		}
	})
}

// FuzzUnpack: whatever an archive says, nothing appears outside of the sandbox, and
// nothing in it that may not be there.
func FuzzUnpack(f *testing.F) {
	f.Add(false, []byte("not a tar"))
	f.Add(false, tarOf(f, entry{name: "d/", kind: tar.TypeDir}, entry{name: "d/x", body: "x", mode: 0o4755},
		entry{name: "l", kind: tar.TypeSymlink, link: "d/x"}, entry{name: "h", kind: tar.TypeLink, link: "d/x"}))
	f.Add(false, tarOf(f, entry{name: "l", kind: tar.TypeSymlink, link: "d"}, entry{name: "l/../../x", body: "x"}))
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	if z, err := w.Create("a/b"); err == nil {
		_, _ = io.WriteString(z, "zipped")
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(true, buf.Bytes())
	f.Fuzz(func(t *testing.T, zipped bool, body []byte) {
		dir := t.TempDir()
		inside := filepath.Join(dir, "sandbox")
		if err := os.Mkdir(inside, 0o755); err != nil {
			t.Fatal(err)
		}
		b, err := openBox(inside, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer b.close()
		l := DefaultLimits()
		l.UnpackBytes, l.UnpackFiles = 1<<16, 100
		unpacker := newFetcher(b, l)
		if zipped {
			_ = unpacker.unzip(context.Background(), bytes.NewReader(body), int64(len(body)))
		} else {
			_ = unpacker.untar(bytes.NewReader(body))
		}
		checkBounds(t, inside, l)
		if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
			t.Errorf("something is beside the sandbox: %v, %v", list, err)
		}
	})
}

// checkBounds walks what an archive has left and finds nothing that it may not.
func checkBounds(t *testing.T, dir string, l Limits) {
	t.Helper()
	bytes, files := int64(0), int64(0)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		files++
		switch mode := st.Mode(); {
		case mode.IsRegular():
			if st.Sys().(*syscall.Stat_t).Nlink == 1 {
				bytes += st.Size()
			}
			if mode&(os.ModeSetuid|os.ModeSetgid|os.ModeSticky) != 0 {
				t.Errorf("%s has mode %v", path, mode)
			}
		case mode.IsDir():
		case mode&os.ModeSymlink != 0:
			target, _ := os.Readlink(path)
			rel, _ := filepath.Rel(dir, filepath.Join(filepath.Dir(path), target))
			if filepath.IsAbs(target) || !filepath.IsLocal(rel) {
				t.Errorf("%s leads to %s", path, target)
			}
		default:
			t.Errorf("%s is a %v", path, mode)
		}
		return nil
	})
	if err != nil || bytes > l.UnpackBytes {
		t.Errorf("%d bytes in %d files, %v", bytes, files, err)
	}
}

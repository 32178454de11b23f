package fetch

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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
	if sdk.CodeOf(err) != sdk.CodeTooLarge || !strings.Contains(err.Error(), "614400") {
		t.Errorf("two halves of too much: %v", err)
	}
}

func TestRefused(t *testing.T) {
	for _, row := range []struct{ value, output, says string }{
		{"data:;base64,%%%", "a", "base64"},
		{"data:nothing", "a", "comma"},
		{"data:,x", "", "name"},
		{"data:,x", "../a", "sandbox"},
		{"data:,x", "/etc/passwd", "sandbox"},
		{"data:,x", ".", "sandbox"},
		{"ftp://host/x", "", "none of"},
		{"http:///x", "", "URL"},
		{"/etc/hostname", "", "not allowed"},
		{"file:///etc/hostname", "", "not allowed"},
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

func tgz(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
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
	if err := z.Close(); err != nil {
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

func FuzzUntar(f *testing.F) {
	f.Add([]byte("not a tar"))
	f.Fuzz(func(t *testing.T, body []byte) {
		dir := t.TempDir()
		inside := filepath.Join(dir, "sandbox")
		if err := os.Mkdir(inside, 0o755); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(inside)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		l := DefaultLimits()
		l.UnpackBytes, l.UnpackFiles = 1<<16, 100
		s := &sink{root: root, limits: l, own: func(string) error { return nil }}
		_ = s.untar(bytes.NewReader(body))
		if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
			t.Errorf("something is beside the sandbox: %v, %v", list, err)
		}
	})
}

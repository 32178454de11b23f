package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/logs"
)

// readLimit is the most that one read gives.
const readLimit = 1 << 20

// fileInfo is one entry as Mesos lists it, keys in alphabetical order.
type fileInfo struct {
	GID   string  `json:"gid"`
	Mode  string  `json:"mode"`
	MTime float64 `json:"mtime"`
	NLink int     `json:"nlink"`
	Path  string  `json:"path"`
	Size  int64   `json:"size"`
	UID   string  `json:"uid"`
}

// within opens the sandboxes' root and gives the path below it. Everything is
// opened through the root: no name and no link that a task made leads out of it.
func (a *Agent) within(given string) (*os.Root, string, error) {
	rel := strings.TrimPrefix(path.Clean("/"+given), path.Clean(a.layout.Sandboxes()))
	rel = strings.TrimPrefix(rel, "/")
	if given == "" {
		return nil, "", sdk.Errorf(sdk.CodeInvalid, "path", "Expecting 'path=value' in query")
	}
	if rel == "" {
		rel = "."
	}
	root, err := os.OpenRoot(a.layout.Sandboxes())
	return root, rel, err
}

// output says whether a path is the stdout or stderr of a sandbox, which lie
// elsewhere, and where.
func (a *Agent) output(rel string) (dir, stream string, ok bool) {
	stream = path.Base(rel)
	if stream != "stdout" && stream != "stderr" || strings.Count(rel, "/") != 3 {
		return "", "", false
	}
	dir = a.layout.Logs(path.Base(path.Dir(rel)))
	if _, err := os.Stat(dir); err != nil {
		return "", "", false
	}
	return dir, stream, true
}

func fileError(w http.ResponseWriter, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var e *sdk.Error
	if !errors.As(err, &e) {
		e = sdk.Errorf(sdk.CodeInvalid, "path", "%v", err)
	}
	refuse(w, e)
}

func (a *Agent) serveBrowse(w http.ResponseWriter, r *http.Request) {
	root, rel, err := a.within(r.URL.Query().Get("path"))
	if err != nil {
		fileError(w, err)
		return
	}
	defer func() { _ = root.Close() }()
	out, err := a.browse(root, rel)
	if err != nil {
		fileError(w, err)
		return
	}
	writeJSON(w, out)
}

func (a *Agent) browse(root *os.Root, rel string) ([]fileInfo, error) {
	f, err := root.Open(rel)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	out := []fileInfo{}
	if !st.IsDir() {
		return out, nil
	}
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		info, err := root.Lstat(path.Join(rel, e.Name()))
		if err != nil {
			continue // gone meanwhile
		}
		out = append(out, a.describe(info, filepath.Join(a.layout.Sandboxes(), rel, e.Name())))
	}
	for _, stream := range []string{"stderr", "stdout"} {
		dir, _, ok := a.output(path.Join(rel, stream))
		if !ok {
			continue
		}
		start, end, err := logs.Bounds(dir, stream)
		if err != nil {
			continue
		}
		i := a.describe(st, filepath.Join(a.layout.Sandboxes(), rel, stream))
		i.Mode, i.Size, i.NLink, i.UID, i.GID = "-rw-r--r--", end-start, 1, "root", "root"
		out = append(out, i)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out, nil
}

func (a *Agent) describe(info fs.FileInfo, name string) fileInfo {
	out := fileInfo{Mode: info.Mode().String(), MTime: float64(info.ModTime().Unix()), NLink: 1, Path: name, Size: info.Size()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		out.NLink = int(sys.Nlink)
		out.UID, out.GID = strconv.Itoa(int(sys.Uid)), strconv.Itoa(int(sys.Gid))
		if id, known, err := a.names.Lookup(out.UID); err == nil && known {
			out.UID = id.Name
		}
		if out.GID == "0" {
			out.GID = "root"
		}
	}
	return out
}

func (a *Agent) serveRead(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	root, rel, err := a.within(q.Get("path"))
	if err != nil {
		fileError(w, err)
		return
	}
	defer func() { _ = root.Close() }()
	offset, length := int64(-1), int64(-1)
	for name, into := range map[string]*int64{"offset": &offset, "length": &length} {
		if text := q.Get(name); text != "" {
			if *into, err = strconv.ParseInt(text, 10, 64); err != nil {
				refuse(w, sdk.Errorf(sdk.CodeInvalid, name, "Failed to parse %s: %q is not a number", name, text))
				return
			}
		}
	}
	src, size, err := a.openFile(root, rel, offset)
	if err != nil {
		fileError(w, err)
		return
	}
	defer func() { _ = src.Close() }()
	if offset < 0 {
		writeJSON(w, map[string]any{"data": "", "offset": size})
		return
	}
	if length < 0 || length > readLimit {
		length = readLimit
	}
	data, err := io.ReadAll(io.LimitReader(src, length))
	if err != nil {
		fileError(w, err)
		return
	}
	writeJSON(w, map[string]any{"data": string(data), "offset": offset})
}

// openFile opens a file of a sandbox, or its output, at an offset.
func (a *Agent) openFile(root *os.Root, rel string, offset int64) (io.ReadCloser, int64, error) {
	if dir, stream, ok := a.output(rel); ok {
		_, end, err := logs.Bounds(dir, stream)
		if err != nil {
			return nil, 0, err
		}
		rd, err := logs.NewReader(dir, stream, max(offset, 0))
		return rd, end, err
	}
	// A FIFO that a task put there must not hold the reader up.
	f, err := root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = sdk.Errorf(sdk.CodeInvalid, "path", "is not a regular file")
	}
	if err == nil && offset > 0 {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, st.Size(), nil
}

func (a *Agent) serveDownload(w http.ResponseWriter, r *http.Request) {
	root, rel, err := a.within(r.URL.Query().Get("path"))
	if err != nil {
		fileError(w, err)
		return
	}
	defer func() { _ = root.Close() }()
	src, _, err := a.openFile(root, rel, 0)
	if err != nil {
		fileError(w, err)
		return
	}
	defer func() { _ = src.Close() }()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", path.Base(rel)))
	_, _ = io.Copy(w, src) // an error means that the reader has gone
}

// serveLogs streams a task's output as raw bytes. Offsets count from the first
// byte that the task ever wrote, whatever has been rotated away; the header says
// where the answer really begins.
func (a *Agent) serveLogs(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	stream := q.Get("stream")
	if stream == "" {
		stream = "stdout"
	}
	if stream != "stdout" && stream != "stderr" {
		refuse(w, sdk.Errorf(sdk.CodeInvalid, "stream", "is %q, must be stdout or stderr", stream))
		return
	}
	f, t := sdk.FrameworkID(q.Get("framework_id")), sdk.TaskID(q.Get("task_id"))
	for field, id := range map[string]string{"framework_id": string(f), "task_id": string(t)} {
		if err := sdk.ValidateID(field, id); err != nil {
			refuse(w, err)
			return
		}
	}
	offset := int64(0)
	if text := q.Get("offset"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			refuse(w, sdk.Errorf(sdk.CodeInvalid, "offset", "%q is not a number", text))
			return
		}
		offset = n
	}
	id, err := a.findContainer(r, f, t)
	if err != nil {
		refuse(w, err)
		return
	}
	a.sendLogs(w, r, id, stream, offset, q.Get("follow") == "true" || q.Get("follow") == "1")
}

func (a *Agent) sendLogs(w http.ResponseWriter, r *http.Request, id, stream string, offset int64, follow bool) {
	dir := a.layout.Logs(id)
	rd, err := logs.NewReader(dir, stream, offset)
	if err != nil {
		refuse(w, err)
		return
	}
	offset = rd.Offset()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Proffer-Offset", strconv.FormatInt(offset, 10))
	if !follow {
		_, _ = io.Copy(w, rd)
		_ = rd.Close()
		return
	}
	_ = rd.Close()
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	_ = control.Flush()
	_ = logs.Follow(r.Context(), flushing{w, control}, dir, stream, offset, func() bool { return a.drained(id, stream) })
}

// drained says that no byte of a container's stream can come any more.
func (a *Agent) drained(id, stream string) bool {
	x := a.boxes.get(id)
	if x == nil {
		return true
	}
	x.mu.Lock()
	dead := x.state == boxDead
	x.mu.Unlock()
	if !dead || !a.ended.emptied(id) {
		return false
	}
	n, err := logs.Pending(x.c.RuntimeDir, stream)
	return err != nil || n == 0
}

// flushing sends every piece at once.
type flushing struct {
	io.Writer
	control *http.ResponseController
}

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	if err == nil {
		err = f.control.Flush()
	}
	return n, err
}

// findContainer looks for a task's newest container: one in use, else one that has
// ended, else that of the executor that the task ran inside of.
func (a *Agent) findContainer(r *http.Request, f sdk.FrameworkID, t sdk.TaskID) (string, error) {
	if x := a.boxes.find(f, t); x != nil {
		return x.c.ID, nil
	}
	if id := a.ended.index.task(f, t); id != "" {
		return id, nil
	}
	e := a.executorOf(r, f, t)
	if x := a.boxes.executor(f, e); x != nil {
		return x.c.ID, nil
	}
	if id := a.ended.index.executor(f, e); id != "" {
		return id, nil
	}
	return "", sdk.Errorf(sdk.CodeNotFound, "task_id", "this agent has no output of task %s of framework %s (it is kept for %s after the end)", t, f, a.o.SandboxKeep)
}

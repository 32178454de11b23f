package fetch

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// request is what the agent writes to the fetcher's process: its length in four
// bytes, big-endian, then msgpack. The agent then keeps the pipe open; its end means
// that nobody waits any more.
type request struct {
	Version   uint32    `wire:"1,version,required"`
	URIs      []sdk.URI `wire:"2,uris"`
	Sandbox   string    `wire:"3,sandbox,required"`
	AllowFile bool      `wire:"4,allow_file"`

	InlineBytes   int64 `wire:"10,inline_bytes"`
	DownloadBytes int64 `wire:"11,download_bytes"`
	UnpackBytes   int64 `wire:"12,unpack_bytes"`
	UnpackFiles   int64 `wire:"13,unpack_files"`
	StallNanos    int64 `wire:"14,stall_nanos"`
	Redirects     int32 `wire:"15,redirects"`
}

const (
	requestVersion = 1
	maxRequest     = 64 << 20
	maxData        = 1 << 30 // bytes of memory that the process allows itself
)

func (r *request) limits() Limits {
	return Limits{
		InlineBytes: r.InlineBytes, DownloadBytes: r.DownloadBytes, UnpackBytes: r.UnpackBytes,
		UnpackFiles: r.UnpackFiles, Stall: time.Duration(r.StallNanos), Redirects: int(r.Redirects),
	}
}

// inProcess starts the fetcher as the task's user and waits for it.
func inProcess(ctx context.Context, o Options, t Task) error {
	if len(o.Command) == 0 {
		return sdk.Errorf(sdk.CodeInternal, "", "this agent does not know how to start its fetcher")
	}
	cmd := exec.CommandContext(ctx, o.Command[0], o.Command[1:]...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
	cmd.Dir = "/"
	// A group of its own, but the session of the agent, whose reaper of orphans would
	// else take it for one and collect the exit that Wait waits for.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if t.User.Switch {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: t.User.UID, Gid: t.User.GID, Groups: t.User.Groups}
	}
	out, noise := &head{limit: 8 << 10}, &head{limit: 2 << 10}
	cmd.Stdout, cmd.Stderr = out, noise
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the fetcher: %w", err)
	}
	writeErr := writeRequest(in, o, t)
	err = cmd.Wait()
	switch {
	case err == nil && writeErr == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("fetch: %w", context.Cause(ctx))
	case out.Len() > 0:
		return failure(out.String())
	}
	return fmt.Errorf("the fetcher failed: %w: %s", errors.Join(err, writeErr), strings.TrimSpace(noise.String()))
}

func writeRequest(w io.Writer, o Options, t Task) error {
	l := o.Limits
	body, err := wire.Marshal(wire.Msgpack, &request{
		Version: requestVersion, URIs: t.URIs, Sandbox: t.Sandbox, AllowFile: o.AllowFile,
		InlineBytes: l.InlineBytes, DownloadBytes: l.DownloadBytes, UnpackBytes: l.UnpackBytes,
		UnpackFiles: l.UnpackFiles, StallNanos: int64(l.Stall), Redirects: int32(l.Redirects),
	})
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}

// failure is the sentence that the process has printed. A full disk stays
// recognisable, because it has a reason of its own in the status.
func failure(sentence string) error {
	sentence = strings.TrimSpace(sentence)
	if strings.Contains(sentence, syscall.ENOSPC.Error()) || strings.Contains(sentence, syscall.EDQUOT.Error()) {
		return &fullDisk{sentence}
	}
	return errors.New(sentence)
}

type fullDisk struct{ sentence string }

func (f *fullDisk) Error() string { return f.sentence }
func (f *fullDisk) Unwrap() error { return syscall.ENOSPC }

// head keeps the begin of what is written to it.
type head struct {
	bytes.Buffer
	limit int
}

func (h *head) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), max(0, h.limit-h.Len()))])
	return len(p), nil
}

// Main is the fetcher's process: it reads its request from in, fetches, and returns
// the sentence that the caller prints to stdout before it exits with a status other
// than 0. It ends when in does, because then its agent is gone.
func Main(ctx context.Context, in io.Reader) error {
	unix.Umask(0o022)
	// A hostile archive may ask for any amount of memory to unpack it.
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: maxData, Max: maxData}); err != nil {
		return fmt.Errorf("bound the fetcher's memory: %w", err)
	}
	r, err := readRequest(in)
	if err != nil {
		return err
	}
	return serveRequest(ctx, in, r)
}

// serveRequest fetches until it is done or the agent's end of the pipe is closed.
func serveRequest(ctx context.Context, in io.Reader, r *request) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the process, or with the pipe
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	return run(ctx, r)
}

func readRequest(in io.Reader) (*request, error) {
	var size [4]byte
	if _, err := io.ReadFull(in, size[:]); err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxRequest {
		return nil, sdk.Errorf(sdk.CodeTooLarge, "", "a request of %d bytes", n)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(in, body); err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	var r request
	if err := wire.Unmarshal(wire.Msgpack, body, &r); err != nil {
		return nil, err
	}
	if r.Version > requestVersion {
		return nil, sdk.Errorf(sdk.CodeUnsupported, "", "the agent asks in version %d, this fetcher knows %d", r.Version, requestVersion)
	}
	return &r, nil
}

// run fetches everything as whoever this process is.
func run(ctx context.Context, r *request) error {
	items, err := plan(r.URIs, r.AllowFile, r.limits())
	if err != nil {
		return err
	}
	b, err := openBox(r.Sandbox, nil)
	if err != nil {
		return err
	}
	defer b.close()
	f := newFetcher(b, r.limits())
	for i := range items {
		if err := f.item(ctx, &items[i]); err != nil {
			return err
		}
	}
	return nil
}

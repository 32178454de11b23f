package fetch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/profferhq/proffer/sdk"
)

// request is what the fetcher's process reads from its standard input.
type request struct {
	URIs      []sdk.URI
	Sandbox   string
	AllowFile bool
	Limits    Limits
}

// maxWord bounds what the fetcher's process may say of a failure, in bytes.
const maxWord = 4096

func newBytes(b []byte) io.Reader { return bytes.NewReader(b) }

// fetch is Fetch: inlined files directly, for nothing of the task runs yet and the sandbox
// is empty; everything else by a process of its own.
func fetch(ctx context.Context, o Options, t Task) error {
	items, err := plan(t.URIs, o.AllowFile, o.Limits)
	if err != nil || len(items) == 0 {
		return err
	}
	if !slices.ContainsFunc(items, func(it item) bool { return it.scheme != "data" }) {
		return inline(ctx, o, t, items)
	}
	return apart(ctx, o, t)
}

// inline writes data: URIs and gives them to the task's user.
func inline(ctx context.Context, o Options, t Task, items []item) error {
	root, err := os.OpenRoot(t.Sandbox)
	if err != nil {
		return err
	}
	defer root.Close()
	own := func(name string) error {
		if !t.User.Switch {
			return nil
		}
		return root.Lchown(name, int(t.User.UID), int(t.User.GID))
	}
	return newFetcher(&sink{root: root, limits: o.Limits, own: own}, o.Limits).fetch(ctx, items)
}

// apart starts the fetcher's process as the task's user, with nothing of our environment.
func apart(ctx context.Context, o Options, t Task) error {
	if len(o.Command) == 0 {
		return sdk.Errorf(sdk.CodeInternal, "", "the fetcher's program is not known")
	}
	body, err := json.Marshal(request{t.URIs, t.Sandbox, o.AllowFile, o.Limits})
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, o.Command[0], o.Command[1:]...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "GOMAXPROCS=1"}
	cmd.Dir, cmd.Stdin = t.Sandbox, bytes.NewReader(body)
	var word bytes.Buffer
	cmd.Stdout = &word
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if t.User.Switch {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: t.User.UID, Gid: t.User.GID, Groups: t.User.Groups}
	}
	err = cmd.Run()
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && word.Len() > 0 {
		return sdk.Errorf(sdk.CodeInvalid, "", "%s", strings.TrimSpace(clipTo(word.String(), maxWord)))
	}
	return err
}

func clipTo(s string, n int) string { return s[:min(len(s), n)] }

// Main is the fetcher's process: it reads one request and does it. What it returns is what
// the task's status will say; the caller prints it on standard output and exits with 1.
func Main(ctx context.Context, stdin io.Reader) error {
	var r request
	if err := json.NewDecoder(stdin).Decode(&r); err != nil {
		return err
	}
	items, err := plan(r.URIs, r.AllowFile, r.Limits)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(r.Sandbox)
	if err != nil {
		return err
	}
	defer root.Close()
	s := &sink{root: root, limits: r.Limits, own: func(string) error { return nil }}
	return newFetcher(s, r.Limits).fetch(ctx, items)
}

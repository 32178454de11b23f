package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// Isolator makes the directories that isolator.Container names.
type Isolator struct {
	layout Layout

	mu   sync.Mutex
	held map[string]*executor.Held // output FIFOs, by container id
}

// New makes the fixed directories of the layout: the way to the sandboxes can be
// walked by every user, runtime and logs are root's alone, except that the way to
// the FIFOs can be walked, because `echo > /dev/stdout` opens them by path.
func New(l Layout) (*Isolator, error) {
	for _, d := range []struct {
		path string
		mode fs.FileMode
	}{
		{l.Sandboxes(), 0o711},
		{l.Runtime(), 0o711},
		{l.Containers(), 0o711},
		{l.LogRoot(), 0o700},
	} {
		if err := os.MkdirAll(d.path, d.mode); err != nil {
			return nil, fmt.Errorf("make the work directory: %w", err)
		}
		// An umask must not decide who can walk here.
		if err := os.Chmod(d.path, d.mode); err != nil {
			return nil, fmt.Errorf("make the work directory: %w", err)
		}
	}
	return &Isolator{layout: l, held: map[string]*executor.Held{}}, nil
}

// Name is "sandbox".
func (*Isolator) Name() string { return "sandbox" }

// Prepare makes the three directories and names them in spec.
func (i *Isolator) Prepare(_ context.Context, c *isolator.Container, spec *sdk.LaunchSpec) error {
	if c.SandboxDir != "" {
		if err := i.makeSandbox(c); err != nil {
			return err
		}
		spec.Dir = c.SandboxDir
	}
	if err := makeOwn(c.RuntimeDir, 0o711); err != nil {
		return err
	}
	if err := makeOwn(c.LogDir, 0o700); err != nil {
		return err
	}
	spec.RuntimeDir, spec.LogDir = c.RuntimeDir, c.LogDir
	if c.RuntimeDir == "" {
		return nil
	}
	h, err := executor.Hold(spec)
	if err != nil {
		return fmt.Errorf("make the container's output: %w", err)
	}
	i.hold(c.ID, h)
	return nil
}

// hold keeps the FIFOs of a container open until Cleanup: what a task wrote last
// must outlive an executor that is killed.
func (i *Isolator) hold(id string, h *executor.Held) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.held[id].Close()
	i.held[id] = h
	if h == nil {
		delete(i.held, id)
	}
}

// makeSandbox makes the sandbox and the framework's and executor's level above it.
// Only the last belongs to the task: it could otherwise replace what others have.
func (i *Isolator) makeSandbox(c *isolator.Container) error {
	err := os.Mkdir(c.SandboxDir, 0o700)
	// The removal of old sandboxes takes empty levels away, perhaps just now.
	for range 10 {
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err := i.makeLevels(filepath.Dir(c.SandboxDir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make the sandbox: %w", err)
		}
		err = os.Mkdir(c.SandboxDir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("make the sandbox: %w", err)
	}
	if c.User.Switch {
		if err := os.Lchown(c.SandboxDir, int(c.User.UID), int(c.User.GID)); err != nil {
			return fmt.Errorf("give the sandbox to user %s: %w", c.User, err)
		}
	}
	return nil
}

// makeLevels makes the directories between all sandboxes and this one, whatever the
// umask is.
func (i *Isolator) makeLevels(parent string) error {
	if err := os.MkdirAll(parent, 0o711); err != nil {
		return err
	}
	for p := parent; len(p) > len(i.layout.Sandboxes()); p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o711); err != nil {
			return err
		}
	}
	return nil
}

// makeOwn makes a directory that stays the agent's.
func makeOwn(path string, mode fs.FileMode) error {
	if path == "" {
		return nil
	}
	if err := os.Mkdir(path, mode); err != nil {
		return fmt.Errorf("make the container's directory: %w", err)
	}
	return os.Chmod(path, mode) // whatever the umask is
}

// Cleanup removes the runtime directory. Sandbox and logs stay: package sandboxes
// removes them by their age.
func (i *Isolator) Cleanup(_ context.Context, c *isolator.Container) error {
	if c.RuntimeDir == "" {
		return nil
	}
	i.hold(c.ID, nil)
	return os.RemoveAll(c.RuntimeDir)
}

// Recover finds runtime directories of containers that nobody knows, and removes
// them.
func (i *Isolator) Recover(_ context.Context, known []*isolator.Container) ([]string, error) {
	keep := make(map[string]bool, len(known))
	for _, c := range known {
		keep[c.ID] = true
		if c.RuntimeDir != "" {
			i.hold(c.ID, executor.HoldAgain(c.RuntimeDir))
		}
	}
	entries, err := os.ReadDir(i.layout.Containers())
	if err != nil {
		return nil, err
	}
	var orphans []string
	var errs []error
	for _, e := range entries {
		if keep[e.Name()] {
			continue
		}
		orphans = append(orphans, e.Name())
		errs = append(errs, os.RemoveAll(filepath.Join(i.layout.Containers(), e.Name())))
	}
	sort.Strings(orphans)
	return orphans, errors.Join(errs...)
}

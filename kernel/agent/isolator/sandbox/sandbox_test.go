package sandbox

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/isolator/isolatortest"
	"github.com/profferhq/proffer/kernel/agent/users"
	"github.com/profferhq/proffer/sdk"
)

func container(l Layout, id string) *isolator.Container {
	return &isolator.Container{
		ID: id, FrameworkID: "f", ExecutorID: "e",
		SandboxDir: l.Sandbox("f", "e", id), RuntimeDir: l.ContainerRuntime(id), LogDir: l.Logs(id),
	}
}

func TestConformance(t *testing.T) {
	l := Layout{WorkDir: t.TempDir()}
	isolatortest.Run(t, isolatortest.Subject{
		New: func(t *testing.T) isolator.Isolator {
			i, err := New(l)
			if err != nil {
				t.Fatal(err)
			}
			return i
		},
		Container: func(_ *testing.T, id string) *isolator.Container { return container(l, id) },
		Left: func(id string) bool { // sandbox and logs stay on purpose
			_, err := os.Stat(l.ContainerRuntime(id))
			return err == nil
		},
	})
}

func TestOwnersAndModes(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	l := Layout{WorkDir: filepath.Join(t.TempDir(), "work")}
	i, err := New(l)
	if err != nil {
		t.Fatal(err)
	}
	c, owner := container(l, "c1"), uint32(os.Getuid())
	if os.Getuid() == 0 {
		c.User, owner = users.Identity{UID: 65534, GID: 65534, Switch: true}, 65534
	}
	var spec sdk.LaunchSpec
	if err := i.Prepare(context.Background(), c, &spec); err != nil {
		t.Fatal(err)
	}
	self := uint32(os.Getuid())
	for path, want := range map[string]struct {
		mode os.FileMode
		uid  uint32
	}{
		c.SandboxDir:                             {0o700, owner},
		filepath.Dir(c.SandboxDir):               {0o711, self},
		filepath.Dir(filepath.Dir(c.SandboxDir)): {0o711, self},
		c.RuntimeDir:                             {0o711, self},
		c.LogDir:                                 {0o700, self},
		l.LogRoot():                              {0o700, self},
		l.Containers():                           {0o711, self},
	} {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st.Mode().Perm() != want.mode || st.Sys().(*syscall.Stat_t).Uid != want.uid {
			t.Errorf("%s: mode %#o of uid %d, want %#o of %d", path, st.Mode().Perm(), st.Sys().(*syscall.Stat_t).Uid, want.mode, want.uid)
		}
	}
	if spec.Dir != c.SandboxDir || spec.RuntimeDir != c.RuntimeDir || spec.LogDir != c.LogDir {
		t.Errorf("%+v", spec)
	}
	if err := i.Prepare(context.Background(), c, &spec); err == nil {
		t.Error("a sandbox was used twice")
	}
}

package cgroup

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/sdk"
)

// The main thread never exits, so it must never be the one that joins a group: the
// group would stay busy. Only an init can keep other goroutines off that thread.
func init() { runtime.LockOSThread() }

// needGroups opens a driver on the real groups below a parent of this test process.
func needGroups(t testing.TB, change func(*Options)) *Isolator {
	t.Helper()
	o := DefaultOptions()
	o.Parent = fmt.Sprintf("proffer-test-%d-%s", os.Getpid(), strings.ToLower(filepath.Base(t.Name())))
	o.OOMArm = 20 * time.Millisecond
	// Shares compare siblings only, and the machine's other work sits beside the parent:
	// this weight, the largest there is, keeps it from blurring what is measured.
	o.ParentCPUs = 256
	if change != nil {
		change(&o)
	}
	i, report, err := Open(o)
	if err != nil {
		skip(t, "needs root and control groups: "+err.Error())
	}
	if len(report.Missing) > 0 && report.Backend != backendV2 {
		i.Close()
		skip(t, fmt.Sprintf("needs every controller, missing are %v", report.Missing))
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if _, err := i.Recover(ctx, nil); err != nil {
			t.Errorf("left behind: %v", err)
		}
		if err := i.Close(); err != nil {
			t.Errorf("left behind: %v", err)
		}
	})
	return i
}

func skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("PROFFER_TEST_NOSKIP") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// needV2 opens the v2 driver on what this host has mounted of cgroup2. On a hybrid
// host that mount has no controllers: everything but the limits can be tried.
func needV2(t *testing.T) *Isolator {
	t.Helper()
	mounts, _, err := readMounts(DefaultOptions().MountInfo)
	at := slices.IndexFunc(mounts, func(m mount) bool { return m.v2 })
	if err != nil || at < 0 {
		skip(t, fmt.Sprintf("needs a cgroup2 mount, %v", err))
	}
	table := filepath.Join(t.TempDir(), "mountinfo")
	if err := os.WriteFile(table, []byte("1 1 0:1 / "+mounts[at].dir+" rw - cgroup2 cgroup2 rw\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return needGroups(t, func(o *Options) { o.MountInfo = table })
}

// eachDriver runs the test with every driver that this host can have with limits.
func eachDriver(t *testing.T, test func(t *testing.T, i *Isolator)) {
	t.Run("tracking", func(t *testing.T) { test(t, needGroups(t, nil)) })
	t.Run("freezer", func(t *testing.T) {
		test(t, needGroups(t, func(o *Options) { o.NoTracking = true }))
	})
}

func task(id string, resources, limits map[string]float64) *isolator.Container {
	c := &isolator.Container{ID: id, Limits: map[string]sdk.Scalar{}}
	for name, v := range resources {
		c.Resources = append(c.Resources, sdk.Resource{Name: name, Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: v}})
	}
	for name, v := range limits {
		c.Limits[name] = sdk.Scalar{Value: v}
	}
	return c
}

// start prepares the container and runs a shell script born inside its groups, in
// the way that the launch function does it.
func start(t testing.TB, i *Isolator, c *isolator.Container, script string) *exec.Cmd {
	t.Helper()
	var spec sdk.LaunchSpec
	if err := i.Prepare(context.Background(), c, &spec); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := i.Destroy(ctx, c); err != nil {
			t.Error(err)
		}
	})
	return born(t, &spec, script)
}

func born(t testing.TB, spec *sdk.LaunchSpec, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	done := make(chan error)
	go func() { // never unlocks its thread, so the thread dies with it
		runtime.LockOSThread()
		done <- inside(cmd, spec)
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return cmd
}

func inside(cmd *exec.Cmd, spec *sdk.LaunchSpec) error {
	for _, dir := range spec.CgroupsV1 {
		if err := write(dir+"/tasks", "0"); err != nil {
			return err
		}
	}
	if spec.CgroupV2 != "" {
		dir, err := os.Open(spec.CgroupV2)
		if err != nil {
			return err
		}
		defer dir.Close()
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	}
	return cmd.Start()
}

// finish destroys, reaps, and cleans up the container.
func finish(t testing.TB, i *Isolator, c *isolator.Container, cmd *exec.Cmd) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := i.Destroy(ctx, c); err != nil {
		t.Fatal(err)
	}
	if cmd != nil {
		_ = cmd.Wait() // its status is the test's own business
	}
	if err := i.Cleanup(ctx, c); err != nil {
		t.Fatal(err)
	}
	if i.driver.exists(c.ID) {
		t.Fatalf("a group of %s is left", c.ID)
	}
}

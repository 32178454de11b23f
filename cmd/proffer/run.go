package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
)

// How long the kernel keeps the task of a `run` that is gone.
const (
	vanishTimeout = time.Minute
	detachTimeout = 7 * 24 * time.Hour
)

// maxPorts is how many ports an address has.
const maxPorts = 65535

// runFlags are the flags of `run`.
type runFlags struct {
	cpus, mem, disk    float64
	cpuLimit, memLimit float64
	env, files         []string
	framework          string
	name, user, role   string
	detach             bool
	ports              int
	timeout            time.Duration
}

func runCommand(c *client) *cobra.Command {
	o := runFlags{}
	cmd := &cobra.Command{
		Use: "run [flags] -- CMD [ARG…]", Short: "Run one task somewhere: its output and exit code are yours", Args: cobra.MinimumNArgs(1),
		Long: "run launches one task, streams what it writes, and ends with its exit code. ctrl-C kills the task; a run\n" +
			"that vanishes takes its task along after a minute, unless it was started with --detach.",
		Example: "  proffer run -- echo hello\n  proffer run --cpus 0.5 --mem 64 --file job.py -- python3 job.py\n  proffer run --detach -- sleep 600",
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), c, o, args)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.Float64Var(&o.cpus, "cpus", 0.1, "processors: a share of this weight when they are contended")
	f.Float64Var(&o.mem, "mem", 64, "memory in MiB: the task is killed above it")
	f.Float64Var(&o.disk, "disk", 0, "disk in MiB")
	f.IntVar(&o.ports, "ports", 0, "how many ports; they come as PORT0, PORT1, …")
	f.Float64Var(&o.cpuLimit, "cpu-limit", 0, "processors at the most, also when others are idle")
	f.Float64Var(&o.memLimit, "mem-limit", 0, "memory in MiB at the most, above --mem")
	f.StringArrayVarP(&o.env, "env", "e", nil, "KEY=VALUE for the task, or KEY to pass on our own")
	f.StringArrayVar(&o.files, "file", nil, "local file to ship into the sandbox (512 KiB in all)")
	f.StringVar(&o.framework, "framework", "", "start a framework: the task gets the credentials of this principal")
	f.StringVar(&o.name, "name", "", "the task's name (default: the program's)")
	f.StringVar(&o.user, "user", "", "run as this user, if the right to it is given (default: the agent's --task-user)")
	f.StringVar(&o.role, "role", "*", "whose resources to use")
	f.BoolVarP(&o.detach, "detach", "d", false, "print the task's id once it runs, and leave it running, for a week at most")
	f.DurationVar(&o.timeout, "timeout", 0, "give up when the task has not started after this long, with exit code 7 (default: wait)")
	return cmd
}

// taskOf is the task that the flags ask for; the agent and the ports come with an offer.
func taskOf(o runFlags, argv []string) (sdk.TaskInfo, error) {
	if err := checkFlags(o); err != nil {
		return sdk.TaskInfo{}, err
	}
	if o.name == "" {
		o.name = shown(filepath.Base(argv[0]))
	}
	no := false
	command := sdk.CommandInfo{Shell: &no, Value: argv[0], Arguments: argv, User: o.user}
	uris, err := shipped(o.files)
	if err != nil {
		return sdk.TaskInfo{}, err
	}
	command.URIs = uris
	if command.Environment, err = environment(o.env); err != nil {
		return sdk.TaskInfo{}, err
	}
	task := sdk.TaskInfo{Name: o.name, TaskID: newTaskID(o.name), Command: &command}
	task.Resources = slices.DeleteFunc([]sdk.Resource{scalar("cpus", o.cpus), scalar("mem", o.mem), scalar("disk", o.disk)},
		func(r sdk.Resource) bool { return r.Scalar.Value == 0 })
	task.Limits = limits(o)
	if o.framework != "" {
		task.Labels = &sdk.Labels{Labels: []sdk.Label{{Key: "PROFFER_FRAMEWORK", Value: o.framework}}}
	}
	return task, nil
}

// checkFlags refuses what no kernel would take, and names the flag.
func checkFlags(o runFlags) error {
	for _, f := range []struct {
		name, resource string
		value          float64
	}{
		{"cpus", "cpus", o.cpus}, {"mem", "mem", o.mem}, {"disk", "disk", o.disk},
		{"cpu-limit", "cpus", o.cpuLimit}, {"mem-limit", "mem", o.memLimit},
	} {
		var wrong *sdk.Error
		if errors.As(sdk.Resources{scalar(f.resource, f.value)}.Validate(""), &wrong) {
			return usagef("--%s %g: %s", f.name, f.value, wrong.Message)
		}
	}
	for _, f := range []struct{ name, text string }{{"name", o.name}, {"user", o.user}} {
		if err := sdk.ValidateText("--"+f.name, f.text); err != nil {
			return usageError{err}
		}
	}
	switch {
	case o.ports < 0 || o.ports > maxPorts:
		return usagef("--ports %d: 0 to %d are possible", o.ports, maxPorts)
	case o.timeout < 0:
		return usagef("--timeout %s: must not be negative; 0 waits for ever", o.timeout)
	}
	return nil
}

func limits(o runFlags) map[string]sdk.Scalar {
	out := map[string]sdk.Scalar{}
	if o.cpuLimit > 0 {
		out["cpus"] = sdk.Scalar{Value: o.cpuLimit}
	}
	if o.memLimit > 0 {
		out["mem"] = sdk.Scalar{Value: o.memLimit}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func scalar(name string, value float64) sdk.Resource {
	return sdk.Resource{Name: name, Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: value}}
}

// newTaskID is the name with a random tail: ids are never used twice. It begins with a
// letter or digit, so that no command takes it for a flag.
func newTaskID(name string) sdk.TaskID {
	tail := make([]byte, 4)
	_, _ = rand.Read(tail) // never fails
	clean := strings.Map(func(r rune) rune {
		if r < '!' || r > '~' || strings.ContainsRune(`/\.`, r) {
			return '-'
		}
		return r
	}, name)
	clean = strings.TrimLeftFunc(clean, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if clean == "" {
		clean = "task"
	}
	return sdk.TaskID(clean[:min(len(clean), 100)] + "-" + hex.EncodeToString(tail))
}

func environment(pairs []string) (*sdk.Environment, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	env := &sdk.Environment{}
	for _, p := range pairs {
		key, value, found := strings.Cut(p, "=")
		if !found {
			value = os.Getenv(key)
		}
		if key == "" {
			return nil, usagef("--env %q: KEY=VALUE is expected", p)
		}
		env.Variables = append(env.Variables, sdk.Variable{Name: key, Value: value})
	}
	return env, nil
}

// run launches the task and sees it through.
func run(ctx context.Context, c *client, o runFlags, argv []string) error {
	task, err := taskOf(o, argv)
	if err != nil {
		return err
	}
	r, err := newRunner(c, o, task)
	if err != nil {
		return err
	}
	return r.run(ctx)
}

package agent

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/kernel/agent/fetch"
	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/kernel/agent/users"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// prepareTimeout bounds the making of a container, without its downloads, which
// have bounds of their own.
const prepareTimeout = time.Minute

// searchPath is the PATH of tasks that name none, as Mesos has it.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// prepareTask has a task's container made by the pool.
func (a *Agent) prepareTask(e ledger.Prepare) {
	x := a.newBox(e.ContainerID, e.Framework.ID, e.ExecutorID, e.Task.TaskID)
	x.c.Resources, x.c.Limits, x.c.Info = e.Task.Resources, e.Task.Limits, e.Task.Container
	a.boxes.add(x)
	a.prepares.submit(func() {
		ctx, ok := x.begin(context.Background())
		if !ok {
			return
		}
		spec, note, err := a.makeTask(ctx, x, &e)
		if !x.finish() {
			return
		}
		if err != nil {
			a.leaveSlot(x)
			a.inbox.put(failedPrepare(e.ContainerID, err))
			return
		}
		a.inbox.put(ledger.Prepared{ContainerID: e.ContainerID, Spec: spec, Note: note})
	})
}

// failedPrepare words what went wrong for the task's status. What no other agent
// could do either is the task's error.
func failedPrepare(id string, err error) ledger.PrepareFailed {
	f := ledger.PrepareFailed{ContainerID: id, State: sdk.TaskFailed, Reason: isolator.ReasonOf(err),
		Message: "Failed to launch container: " + err.Error()}
	if sdk.CodeOf(err) == sdk.CodeDenied {
		f.State, f.Reason = sdk.TaskError, sdk.ReasonTaskUnauthorized
	}
	return f
}

// makeTask makes a task's container and says how to start it.
func (a *Agent) makeTask(ctx context.Context, x *box, e *ledger.Prepare) (*sdk.LaunchSpec, string, error) {
	a.takeSlot(ctx, x)
	if err := a.waitForRoom(ctx); err != nil {
		return nil, "", err
	}
	d, err := a.resolve(e.ContainerID, e.Task.Command, e.Framework, e.AllowedUsers, e.Principal != "")
	if err != nil {
		return nil, "", err
	}
	x.c.User = d.User
	spec := a.newSpec(x, e.Task.Command)
	spec.KillGraceNanos = int64(a.o.KillGrace)
	if p := e.Task.KillPolicy; p != nil && p.GracePeriod != nil {
		spec.KillGraceNanos = p.GracePeriod.Nanoseconds
	}
	if m := e.Task.MaxCompletionTime; m != nil {
		spec.MaxRunNanos = m.Nanoseconds
	}
	if err := a.makeContainer(ctx, x, spec, e.Task.Command); err != nil {
		return nil, "", err
	}
	env := []string{
		"MESOS_SANDBOX=" + x.c.SandboxDir, "MESOS_DIRECTORY=" + x.c.SandboxDir, "MESOS_CONTAINER_IP=" + a.ip,
		"MESOS_ALLOCATION_ROLE=" + roleOf(e.Task.Resources), "MESOS_FRAMEWORK_ID=" + string(e.Framework.ID),
		"MESOS_TASK_ID=" + string(e.Task.TaskID), "MESOS_SLAVE_ID=" + string(*a.agentID.Load()),
	}
	if e.Principal != "" {
		more, err := a.giveToken(x, e)
		if err != nil {
			return nil, "", err
		}
		env = append(env, more...)
	}
	spec.Env = environment(append(env, spec.Env...), e.Task.Command, x.c.SandboxDir)
	return spec, d.Note, nil
}

// makeContainer makes directories, groups and files.
func (a *Agent) makeContainer(ctx context.Context, x *box, spec *sdk.LaunchSpec, cmd *sdk.CommandInfo) error {
	quick, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	if err := a.dirs.Prepare(quick, x.c, spec); err != nil {
		return err
	}
	if err := a.chain.Prepare(quick, x.c, spec); err != nil {
		return err
	}
	if cmd == nil || len(cmd.URIs) == 0 {
		return nil
	}
	o := fetch.Options{Command: a.o.FetchCommand, AllowFile: a.o.AllowFile, Limits: a.o.Fetch}
	return fetch.Fetch(ctx, o, fetch.Task{URIs: cmd.URIs, Sandbox: x.c.SandboxDir, User: x.c.User})
}

// resolve decides as whom a command runs.
func (a *Agent) resolve(id string, cmd *sdk.CommandInfo, f *sdk.FrameworkInfo, allowed []string, token bool) (users.Decision, error) {
	wish := users.Wish{User: f.User, Principal: f.Principal, Container: id, Token: token}
	if cmd != nil && cmd.User != "" {
		wish.User = cmd.User
	}
	policy := a.policy
	if wish.Principal == "" {
		wish.Principal = "-" // rights of the leader's word need a holder
	}
	if slices.Contains(allowed, wish.User) || slices.Contains(allowed, "*") {
		policy.Grants = append(slices.Clone(policy.Grants), users.Grant{Principal: wish.Principal, User: wish.User})
	}
	d, err := policy.Resolve(wish, a.names.Lookup)
	if err != nil || !d.NeedsUID {
		return d, err
	}
	uid, err := a.uids.Take(id)
	if err != nil {
		return d, err
	}
	d.User = users.Own(uid)
	if wish.User == "" {
		d.Note = "runs as user " + d.User.String() + ", a uid of its own"
	}
	return d, nil
}

// newSpec begins a launch specification.
func (a *Agent) newSpec(x *box, cmd *sdk.CommandInfo) *sdk.LaunchSpec {
	s := &sdk.LaunchSpec{
		Version: sdk.LaunchVersion, ContainerID: x.c.ID, FrameworkID: x.c.FrameworkID, ExecutorID: x.c.ExecutorID, TaskID: x.c.TaskID,
		Dir: x.c.SandboxDir, RuntimeDir: x.c.RuntimeDir, LogDir: x.c.LogDir,
		LogBytes: a.o.LogBytes, LogFiles: uint32(a.o.LogFiles),
	}
	x.c.User.Apply(s)
	if cmd != nil {
		s.Path, s.Args = executor.Program(cmd, x.c.SandboxDir)
	}
	return s
}

// environment is the base, what the command names, and what is missing then.
func environment(base []string, cmd *sdk.CommandInfo, dir string) []string {
	env := base
	if cmd != nil && cmd.Environment != nil {
		for _, v := range cmd.Environment.Variables {
			env = append(env, v.Name+"="+v.Value)
		}
	}
	env = append([]string{"PATH=" + searchPath, "PWD=" + dir}, env...)
	seen := map[string]int{}
	out := env[:0:0]
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if i, dup := seen[name]; dup {
			out[i] = kv // the later one wins, as in a shell
			continue
		}
		seen[name] = len(out)
		out = append(out, kv)
	}
	return out
}

func roleOf(rs []sdk.Resource) string {
	for i := range rs {
		if a := rs[i].AllocationInfo; a != nil && a.Role != "" {
			return a.Role
		}
	}
	return "*"
}

// giveToken writes the credentials of a task that is a framework where only its
// own user can read them. They stand in no argument, variable, log or checkpoint.
func (a *Agent) giveToken(x *box, e *ledger.Prepare) ([]string, error) {
	env := []string{"PROFFER_ADDR=" + strings.Join(a.masters.Addrs(), ","), "PROFFER_BINARY=" + a.o.Binary}
	if a.o.Insecure {
		return env, nil
	}
	token := a.key.Sign(credential.Claims{
		Kind: credential.KindFramework, Principal: e.Principal, FrameworkID: e.Framework.ID,
		TaskID: e.Task.TaskID, AgentID: *a.agentID.Load(), Issued: time.Now().Unix(),
	})
	path := filepath.Join(x.c.RuntimeDir, "token")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return nil, fmt.Errorf("write the task's token: %w", err)
	}
	if x.c.User.Switch {
		err = f.Chown(int(x.c.User.UID), int(x.c.User.GID))
	}
	if err == nil {
		_, err = f.WriteString(token + "\n")
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, fmt.Errorf("write the task's token: %w", err)
	}
	return append(env, "PROFFER_TOKEN_FILE="+path), nil
}

// exceeded is what a limit was about, for the status.
func exceeded(c *isolator.Container, l *isolator.Limitation) []sdk.Resource {
	if l.Reason != sdk.ReasonContainerLimitationMemory {
		return nil
	}
	mem := c.Scalar("mem")
	if limit, ok := c.Limit("mem"); ok && !math.IsInf(limit, 0) {
		mem = limit
	}
	return []sdk.Resource{sdk.NewScalar("mem", mem)}
}

package agent

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
)

const startTimeout = time.Minute

// startExecutor has an executor's container made and its process started.
func (a *Agent) startExecutor(e ledger.StartExecutor) {
	x := a.newBox(e.ContainerID, e.Framework.ID, e.Info.ExecutorID, "")
	x.executor, x.def = true, e.Default
	x.c.Info = e.Info.Container
	x.c.Resources = a.ledger.Held(e.ContainerID)
	a.boxes.add(x)
	a.starts.submit(func() {
		ctx, ok := x.begin(context.Background())
		if !ok {
			return
		}
		p, err := a.makeExecutor(ctx, x, &e)
		if err == nil {
			x.mu.Lock()
			x.c.Process = &p
			x.mu.Unlock()
			a.watch.add(x, p)
		}
		if !x.finish() {
			return
		}
		x.mu.Lock()
		wanted := x.resize
		x.mu.Unlock()
		if wanted != nil {
			a.resizeBox(ledger.Resize{ContainerID: x.c.ID, Resources: wanted})
		}
		if err != nil {
			a.log.Warn("an executor could not be started", "framework", e.Framework.ID, "executor", e.Info.ExecutorID, "why", err)
			a.inbox.put(ledger.ExecutorExited{ContainerID: e.ContainerID, Status: -1, Reason: sdk.ReasonContainerLaunchFailed,
				Message: "Failed to launch the executor: " + err.Error()})
			return
		}
		a.inbox.put(ledger.ExecutorStarted{ContainerID: e.ContainerID, Process: p})
	})
}

func (a *Agent) makeExecutor(ctx context.Context, x *box, e *ledger.StartExecutor) (sdk.Process, error) {
	var spec *sdk.LaunchSpec
	if e.Default {
		spec = a.newSpec(x, nil)
		spec.Path, spec.Args = a.o.ExecutorBinary, []string{"proffer-executor", "executor"}
		if err := a.dirs.Prepare(ctx, x.c, spec); err != nil {
			return sdk.Process{}, err
		}
		spec.Env = environment(a.executorEnv(x, e), nil, spec.Dir)
	} else {
		d, err := a.resolve(x.c.ID, e.Info.Command, e.Framework, e.AllowedUsers, !a.o.Insecure)
		if err != nil {
			return sdk.Process{}, err
		}
		x.c.User = d.User
		spec = a.newSpec(x, e.Info.Command)
		if err := a.makeContainer(ctx, x, spec, e.Info.Command); err != nil {
			return sdk.Process{}, err
		}
		spec.Env = environment(append(a.executorEnv(x, e), spec.Env...), e.Info.Command, spec.Dir)
	}
	l, err := a.currentLauncher(ctx)
	if err != nil {
		return sdk.Process{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	p, err := l.Start(ctx, spec)
	if err != nil { // it may run all the same
		x.mu.Lock()
		x.unheard = true
		x.mu.Unlock()
	}
	return p, err
}

// executorEnv is what Mesos tells an executor in its environment.
func (a *Agent) executorEnv(x *box, e *ledger.StartExecutor) []string {
	grace := a.o.KillGrace
	if g := e.Info.ShutdownGracePeriod; g != nil {
		grace = time.Duration(g.Nanoseconds)
	}
	checkpoint, command := "0", "0"
	if e.Framework.Checkpoint || e.Default {
		checkpoint = "1"
	}
	env := []string{
		"MESOS_FRAMEWORK_ID=" + string(e.Framework.ID),
		"MESOS_EXECUTOR_ID=" + string(e.Info.ExecutorID),
		"MESOS_DIRECTORY=" + x.c.SandboxDir,
		"MESOS_SANDBOX=" + x.c.SandboxDir,
		"MESOS_SLAVE_ID=" + string(*a.agentID.Load()),
		"MESOS_SLAVE_PID=slave(1)@" + a.addr,
		"MESOS_AGENT_ENDPOINT=" + a.addr,
		"MESOS_CHECKPOINT=" + checkpoint,
		"MESOS_HTTP_COMMAND_EXECUTOR=" + command,
		"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=" + stout(grace),
		"LIBPROCESS_PORT=0",
		"LIBPROCESS_IP=" + a.ip,
	}
	if checkpoint == "1" {
		env = append(env, "MESOS_RECOVERY_TIMEOUT=15mins", "MESOS_SUBSCRIPTION_BACKOFF_MAX=2secs")
	}
	if e.Default {
		// The socket is the agent's user's alone: it needs no token, and no token
		// can leak from the parent of everybody's tasks.
		return append(env, "MESOS_DOMAIN_SOCKET="+a.socket())
	}
	if !a.o.Insecure {
		env = append(env, "MESOS_EXECUTOR_AUTHENTICATION_TOKEN="+a.key.Sign(credential.Claims{
			Kind: credential.KindExecutor, Principal: e.Framework.Principal, FrameworkID: e.Framework.ID,
			ExecutorID: e.Info.ExecutorID, AgentID: *a.agentID.Load(), Issued: time.Now().Unix(),
		}))
	}
	return env
}

// stout writes a duration as Mesos's clients read it: one whole number and the
// largest unit that keeps it whole.
func stout(d time.Duration) string {
	units := []struct {
		name string
		size time.Duration
	}{
		{"weeks", 7 * 24 * time.Hour}, {"days", 24 * time.Hour}, {"hrs", time.Hour}, {"mins", time.Minute},
		{"secs", time.Second}, {"ms", time.Millisecond}, {"us", time.Microsecond},
	}
	for _, u := range units {
		if d != 0 && d%u.size == 0 {
			return strconv.FormatInt(int64(d/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(d), 10) + "ns"
}

// errRetired ends Run.
type errRetired string

func (e errRetired) Error() string {
	return fmt.Sprintf("this agent was shut down by its master: %s; to come back as a new agent, start it with an empty work directory", string(e))
}

// fail ends Run with the first error.
func (a *Agent) fail(err error) {
	select {
	case a.fatal <- err:
	default:
	}
}

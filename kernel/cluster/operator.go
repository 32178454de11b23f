package cluster

import (
	"github.com/profferhq/proffer/sdk"
)

// operatorCall takes what an operator wants changed. Whether the caller may is
// the shell's to decide.
func (c *Cluster) operatorCall(in OperatorCall) {
	switch in.Call.Type {
	case sdk.OperatorTeardown:
		c.teardown(in)
	case sdk.OperatorKillTask:
		c.killTask(in)
	case sdk.OperatorUpdateWeights:
		c.updateWeights(in)
	case sdk.OperatorSetBootManifest:
		c.setBootManifest(in)
	case sdk.OperatorMarkGone, sdk.OperatorDrain, sdk.OperatorDeactivate, sdk.OperatorReactivate:
		c.careFor(in)
	default:
		c.reply(in.Request, sdk.Errorf(sdk.CodeInvalid, "type", "%q is no call that changes something here", string(in.Call.Type)))
	}
}

func (c *Cluster) teardown(in OperatorCall) {
	if in.Call.Teardown == nil {
		c.reply(in.Request, sdk.Errorf(sdk.CodeInvalid, "teardown", "Expecting 'teardown' to be present"))
		return
	}
	id := in.Call.Teardown.FrameworkID
	f := c.frameworks[id]
	if f == nil || f.zombie {
		c.reply(in.Request, sdk.Errorf(sdk.CodeInvalid, "teardown.framework_id", "No framework found with ID %q", string(id)))
		return
	}
	if id == c.reg.InitFramework() {
		c.reply(in.Request, sdk.Errorf(sdk.CodeDenied, "teardown.framework_id", "%s is init, a part of the kernel; say what it runs with SET_BOOT_MANIFEST (`proffer boot set`)", id))
		return
	}
	c.remove(f, "an operator asked for it", func() { c.done(in.Request) })
}

func (c *Cluster) killTask(in OperatorCall) {
	k := in.Call.KillTask
	if k == nil {
		c.reply(in.Request, sdk.Errorf(sdk.CodeInvalid, "kill_task", "Expecting 'kill_task' to be present"))
		return
	}
	if err := firstOf(checkGrace("kill_task.kill_policy", k.KillPolicy)); err != nil {
		c.reply(in.Request, err)
		return
	}
	f := c.frameworks[k.FrameworkID]
	if f == nil || f.zombie {
		c.reply(in.Request, sdk.Errorf(sdk.CodeNotFound, "kill_task.framework_id", "there is no framework %q", string(k.FrameworkID)))
		return
	}
	t := f.tasks[k.TaskID]
	if t == nil || t.state.Terminal() {
		c.reply(in.Request, sdk.Errorf(sdk.CodeNotFound, "kill_task.task_id", "framework %s has no live task %q", f.id(), string(k.TaskID)))
		return
	}
	c.log(Info, "an operator kills a task", "framework", f.id(), "task", t.id, "principal", in.Caller.Principal)
	c.kill(f, t.id, t.agent, k.KillPolicy, func() { c.done(in.Request) })
}

func (c *Cluster) done(request uint64) {
	if request != 0 {
		c.emit(Reply{Request: request, Done: true})
	}
}

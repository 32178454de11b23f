package link

import (
	"strconv"

	"github.com/profferhq/proffer/sdk"
)

// Validate refuses a call whose version, body or ids are wrong; the error names
// the field. It does not look at anything beyond the call itself.
func (c *Call) Validate() error {
	if err := checkVersion("version", c.Version); err != nil {
		return err
	}
	bodies := []body{
		{string(CallRegister), "register", c.Register != nil},
		{string(CallUpdate), "update", c.Update != nil},
		{string(CallReconciled), "reconciled", c.Reconciled != nil},
		{string(CallExecutorExited), "executor_exited", c.ExecutorExited != nil},
		{string(CallMessage), "message", c.Message != nil},
		{string(CallResources), "resources", c.Resources != nil},
		{string(CallHeartbeat), "", true},
	}
	if err := checkBody(string(c.Type), bodies); err != nil {
		return err
	}
	if c.Type == CallRegister {
		if err := c.Register.validate(); err != nil {
			return err
		}
		if c.AgentID != c.Register.Agent.ID {
			return sdk.Errorf(sdk.CodeInvalid, "agent_id", "is %q, but register.agent.id is %q", c.AgentID, c.Register.Agent.ID)
		}
		return nil
	}
	if err := sdk.ValidateID("agent_id", c.AgentID); err != nil {
		return err
	}
	switch c.Type {
	case CallUpdate:
		if len(c.Update.Status.UUID) == 0 {
			return sdk.Errorf(sdk.CodeInvalid, "update.status.uuid", "must not be empty")
		}
		return first(sdk.ValidateID("update.framework_id", c.Update.FrameworkID), checkStatus("update.status", &c.Update.Status))
	case CallReconciled:
		return first(sdk.ValidateID("reconciled.framework_id", c.Reconciled.FrameworkID), checkStatus("reconciled.status", &c.Reconciled.Status))
	case CallExecutorExited:
		return first(sdk.ValidateID("executor_exited.framework_id", c.ExecutorExited.FrameworkID), sdk.ValidateID("executor_exited.executor_id", c.ExecutorExited.ExecutorID))
	case CallMessage:
		return c.Message.validate()
	case CallResources:
		return validateAttributes("resources.attributes", c.Resources.Attributes)
	}
	return nil
}

// validateAttributes refuses attributes that people could not be shown.
func validateAttributes(field string, list []sdk.Attribute) error {
	for i := range list {
		at, a := index(field, i), &list[i]
		if err := sdk.ValidateText(at+".name", a.Name); err != nil {
			return err
		}
		if a.Text != nil {
			if err := sdk.ValidateText(at+".text.value", a.Text.Value); err != nil {
				return err
			}
		}
		if a.Set != nil {
			for j, item := range a.Set.Item {
				if err := sdk.ValidateText(index(at+".set.item", j), item); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *Register) validate() error {
	if r.BootID == "" {
		return sdk.Errorf(sdk.CodeInvalid, "register.boot_id", "must not be empty")
	}
	if r.Agent.Hostname == "" {
		return sdk.Errorf(sdk.CodeInvalid, "register.agent.hostname", "must not be empty")
	}
	if err := first(sdk.ValidateText("register.agent.hostname", r.Agent.Hostname), sdk.ValidateText("register.software", r.Software),
		sdk.ValidateText("register.address", r.Address), sdk.ValidateText("register.nonce", r.Nonce), sdk.ValidateText("register.cluster", r.Cluster), validateAttributes("register.agent.attributes", r.Agent.Attributes)); err != nil {
		return err
	}
	for i := range r.Tasks {
		at := index("register.tasks", i)
		t := &r.Tasks[i]
		if err := first(sdk.ValidateID(at+".task_id", t.TaskID), sdk.ValidateID(at+".framework_id", t.FrameworkID)); err != nil {
			return err
		}
		if t.State == "" {
			return sdk.Errorf(sdk.CodeInvalid, at+".state", "must not be empty")
		}
	}
	for i := range r.Executors {
		at := index("register.executors", i)
		x := &r.Executors[i]
		if err := first(sdk.ValidateID(at+".executor_id", x.ExecutorID), sdk.ValidateID(at+".framework_id", x.FrameworkID)); err != nil {
			return err
		}
	}
	for i := range r.Frameworks {
		if err := sdk.ValidateID(index("register.frameworks", i)+".id", r.Frameworks[i].ID); err != nil {
			return err
		}
	}
	return nil
}

// Validate refuses an event whose version, body or ids are wrong; the error names
// the field. Whether its Fence is old is the agent's ledger to say.
func (e *Event) Validate() error {
	if err := checkVersion("version", e.Version); err != nil {
		return err
	}
	bodies := []body{
		{string(EventRegistered), "registered", e.Registered != nil},
		{string(EventRun), "run", e.Run != nil},
		{string(EventKill), "kill", e.Kill != nil},
		{string(EventAcknowledge), "acknowledge", e.Acknowledge != nil},
		{string(EventMessage), "message", e.Message != nil},
		{string(EventShutdownExecutor), "shutdown_executor", e.ShutdownExecutor != nil},
		{string(EventShutdownFramework), "shutdown_framework", e.ShutdownFramework != nil},
		{string(EventFramework), "framework", e.Framework != nil},
		{string(EventReconcile), "reconcile", e.Reconcile != nil},
		{string(EventHeartbeat), "", true},
		{string(EventShutdown), "shutdown", e.Shutdown != nil},
		{string(EventNotice), "notice", e.Notice != nil},
	}
	if err := checkBody(string(e.Type), bodies); err != nil {
		return err
	}
	switch e.Type {
	case EventRegistered:
		if e.Registered.HeartbeatSeconds <= 0 {
			return sdk.Errorf(sdk.CodeInvalid, "registered.heartbeat_seconds", "is %v, must be above 0", e.Registered.HeartbeatSeconds)
		}
		return sdk.ValidateID("registered.agent_id", e.Registered.AgentID)
	case EventRun:
		return e.Run.validate()
	case EventKill:
		return checkTask("kill", e.Kill.FrameworkID, e.Kill.TaskID)
	case EventAcknowledge:
		return checkTask("acknowledge", e.Acknowledge.FrameworkID, e.Acknowledge.TaskID)
	case EventReconcile:
		return checkTask("reconcile", e.Reconcile.FrameworkID, e.Reconcile.TaskID)
	case EventMessage:
		return e.Message.validate()
	case EventShutdownExecutor:
		return first(sdk.ValidateID("shutdown_executor.framework_id", e.ShutdownExecutor.FrameworkID), sdk.ValidateID("shutdown_executor.executor_id", e.ShutdownExecutor.ExecutorID))
	case EventShutdownFramework:
		return sdk.ValidateID("shutdown_framework.framework_id", e.ShutdownFramework.FrameworkID)
	case EventFramework:
		return sdk.ValidateID("framework.info.id", e.Framework.Info.ID)
	}
	return nil
}

func (r *Run) validate() error {
	if err := sdk.ValidateID("run.framework.id", r.Framework.ID); err != nil {
		return err
	}
	if r.Executor != nil {
		if err := sdk.ValidateID("run.executor.executor_id", r.Executor.ExecutorID); err != nil {
			return err
		}
	}
	if len(r.Tasks) == 0 {
		return sdk.Errorf(sdk.CodeInvalid, "run.tasks", "must not be empty")
	}
	for i := range r.Tasks {
		if err := sdk.ValidateID(index("run.tasks", i)+".task_id", r.Tasks[i].TaskID); err != nil {
			return err
		}
	}
	return nil
}

func (m *Message) validate() error {
	return first(sdk.ValidateID("message.framework_id", m.FrameworkID), sdk.ValidateID("message.executor_id", m.ExecutorID))
}

// body is one of the optional bodies of a message; field is empty for a type
// that has none.
type body struct {
	kind, field string
	set         bool
}

// checkBody refuses a type that is unknown or whose body is missing.
func checkBody(kind string, bodies []body) error {
	for _, b := range bodies {
		if b.kind != kind {
			continue
		}
		if !b.set {
			return sdk.Errorf(sdk.CodeInvalid, b.field, "is missing in a message of type %s", kind)
		}
		return nil
	}
	return sdk.Errorf(sdk.CodeInvalid, "type", "is %q, which version %d does not know", kind, Version)
}

func checkStatus(field string, s *sdk.TaskStatus) error {
	if s.State == "" {
		return sdk.Errorf(sdk.CodeInvalid, field+".state", "must not be empty")
	}
	return sdk.ValidateID(field+".task_id", s.TaskID)
}

func checkTask(field string, f sdk.FrameworkID, t sdk.TaskID) error {
	return first(sdk.ValidateID(field+".framework_id", f), sdk.ValidateID(field+".task_id", t))
}

// first is the first error of a list.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// index is the path of an entry of a list.
func index(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

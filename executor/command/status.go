package command

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/logs"
)

// updateID is the uuid of one update of a container: the same whoever tells it, so
// that a successor's is recognised.
func updateID(container, what string) []byte {
	id := uuid.NewSHA1(uuid.NameSpaceOID, []byte(container+"/"+what))
	return id[:]
}

func (e *Executor) tellRunning(t *task) {
	p := t.process
	e.driver.Update(sdk.ExecutorUpdate{Process: &p, Status: sdk.TaskStatus{
		TaskID: t.id, State: sdk.TaskRunning, UUID: updateID(t.container, "running")}})
}

func (e *Executor) tellKillingState(t *task) {
	s := sdk.TaskStatus{TaskID: t.id, State: sdk.TaskKilling, UUID: updateID(t.container, "killing")}
	t.addHealth(&s)
	e.driver.Update(sdk.ExecutorUpdate{Status: s})
}

// tellEnd tells the terminal state of a task.
func (e *Executor) tellEnd(t *task) sdk.TaskState {
	s := endStatus(t.exit, t.kill)
	s.TaskID, s.UUID = t.id, updateID(t.container, "end")
	if t.kill != nil && t.kill.Reason == executor.KillUnhealthy {
		e.explainUnhealthy(t, &s)
	}
	s.Timestamp = float64(t.exit.Nanos/1000) / 1e6
	p := t.process
	u := sdk.ExecutorUpdate{Process: &p, Status: s}
	if t.exit.Known {
		u.WaitStatus = &t.exit.WaitStatus
	}
	e.driver.Update(u)
	return s.State
}

// endStatus is the state that an end is told as, in Mesos's words.
func endStatus(x *executor.Exit, kill *executor.KillNote) sdk.TaskStatus {
	s := sdk.TaskStatus{State: sdk.TaskFailed, Message: exitMessage(x.WaitStatus)}
	switch {
	case kill != nil && kill.Reason == executor.KillDeadline:
		s.Reason = sdk.ReasonMaxCompletionTimeReached
	case kill != nil:
		s.State = sdk.TaskKilled
	case x.Known && x.WaitStatus == 0:
		s.State = sdk.TaskFinished
	}
	if !x.Known {
		s.Message = "The task ended, but its exit status could not be collected: its executor and the launcher had ended too"
		if s.Reason == "" && kill == nil {
			s.Reason = sdk.ReasonExecutorTerminated
		}
	}
	return s
}

// exitMessage is Mesos's sentence about a wait status.
func exitMessage(status int32) string {
	ws := unix.WaitStatus(status)
	if ws.Exited() {
		return fmt.Sprintf("Command exited with status %d", ws.ExitStatus())
	}
	text := "Command terminated with signal " + signalName(ws.Signal())
	if ws.CoreDump() {
		text += " (core dumped)"
	}
	return text
}

// launchFailed tells a launch that did not happen. A program that could not be
// executed ends with the status that a shell gives it; why stands in the message,
// behind Mesos's sentence, and in its stderr.
func (e *Executor) launchFailed(spec *sdk.LaunchSpec, err error) {
	failed, ok := err.(*executor.LaunchError)
	if !ok || !failed.Exec {
		e.refuse(spec.TaskID, spec.ContainerID, err.Error())
		return
	}
	if err := logs.Note(spec.LogDir, executor.StderrStream, "proffer: "+failed.Error()); err != nil {
		e.o.Log.Warn("a failed launch is not explained", "task", spec.TaskID, "error", err)
	}
	status := unexecuted(failed)
	e.driver.Update(sdk.ExecutorUpdate{WaitStatus: &status, Status: sdk.TaskStatus{TaskID: spec.TaskID,
		State: sdk.TaskFailed, Message: exitMessage(status) + ": " + failed.Error(), UUID: updateID(spec.ContainerID, "end")}})
}

// unexecuted is the wait status of a program that was not executed: 127 when it is
// not there, 126 when it is.
func unexecuted(err error) int32 {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return 127 << 8
	}
	return 126 << 8
}

// refuse tells that a task was not started, and why.
func (e *Executor) refuse(id sdk.TaskID, container, why string) {
	s := sdk.TaskStatus{TaskID: id, State: sdk.TaskFailed, Reason: sdk.ReasonContainerLaunchFailed, Message: why}
	if container != "" {
		s.UUID = updateID(container, "end")
	}
	e.driver.Update(sdk.ExecutorUpdate{Status: s})
}

// tellKilledAtLaunch tells the tasks of a group that were not started because
// another could not be.
func (e *Executor) tellKilledAtLaunch(id sdk.TaskID) {
	e.driver.Update(sdk.ExecutorUpdate{Status: sdk.TaskStatus{TaskID: id, State: sdk.TaskKilled,
		Reason: sdk.ReasonTaskKilledDuringLaunch, Message: "Another task of the group could not be started"}})
}

// signalName is what strsignal(3) of glibc says, which is what Mesos's users read.
func signalName(sig unix.Signal) string {
	names := map[unix.Signal]string{
		unix.SIGHUP: "Hangup", unix.SIGINT: "Interrupt", unix.SIGQUIT: "Quit", unix.SIGILL: "Illegal instruction",
		unix.SIGTRAP: "Trace/breakpoint trap", unix.SIGABRT: "Aborted", unix.SIGBUS: "Bus error",
		unix.SIGFPE: "Floating point exception", unix.SIGKILL: "Killed", unix.SIGUSR1: "User defined signal 1",
		unix.SIGSEGV: "Segmentation fault", unix.SIGUSR2: "User defined signal 2", unix.SIGPIPE: "Broken pipe",
		unix.SIGALRM: "Alarm clock", unix.SIGTERM: "Terminated", unix.SIGXCPU: "CPU time limit exceeded",
		unix.SIGXFSZ: "File size limit exceeded", unix.SIGSYS: "Bad system call",
	}
	if name, ok := names[sig]; ok {
		return name
	}
	return fmt.Sprintf("Unknown signal %d", int(sig))
}

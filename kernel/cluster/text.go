package cluster

import "github.com/profferhq/proffer/sdk"

// checkInfoText refuses what a framework says about itself that people could not
// be shown; at is the path of the info.
func checkInfoText(at string, info *sdk.FrameworkInfo) *sdk.Error {
	return firstOf(
		sdk.ValidateText(at+".name", info.Name),
		sdk.ValidateText(at+".user", info.User),
		sdk.ValidateText(at+".principal", info.Principal),
		sdk.ValidateText(at+".hostname", info.Hostname),
		sdk.ValidateText(at+".webui_url", info.WebUIURL),
		info.Labels.Validate(at+".labels"),
	)
}

// checkTaskText is what of a task people could not be shown, with its path, or "".
func checkTaskText(t *sdk.TaskInfo) string {
	return sentence(firstOf(
		sdk.ValidateText("name", t.Name),
		commandText("command", t.Command),
		t.Labels.Validate("labels"),
	))
}

// checkExecutorText is the same of an executor.
func checkExecutorText(e *sdk.ExecutorInfo) string {
	return sentence(firstOf(
		sdk.ValidateText("executor.name", e.Name),
		sdk.ValidateText("executor.source", e.Source),
		commandText("executor.command", e.Command),
		e.Labels.Validate("executor.labels"),
	))
}

func commandText(at string, cmd *sdk.CommandInfo) error {
	if cmd == nil {
		return nil
	}
	return sdk.ValidateText(at+".user", cmd.User)
}

func sentence(err *sdk.Error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

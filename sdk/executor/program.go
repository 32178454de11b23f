package executor

import (
	"path/filepath"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// Program is what a command executes in the sandbox dir: a shell, as Mesos has it
// unless the command says otherwise, or a program with its arguments (argv[0]
// included). A path with a slash that is not absolute is relative to the sandbox.
func Program(cmd *sdk.CommandInfo, dir string) (path string, args []string) {
	if cmd.Shell == nil || *cmd.Shell {
		return "/bin/sh", []string{"sh", "-c", cmd.Value}
	}
	path, args = cmd.Value, cmd.Arguments
	if len(args) == 0 {
		args = []string{cmd.Value}
	}
	if !filepath.IsAbs(path) && strings.Contains(path, "/") {
		path = filepath.Join(dir, path)
	}
	return path, args
}

package sandbox

import (
	"path/filepath"

	"github.com/profferhq/proffer/sdk"
)

// Layout names the directories below an agent's work directory.
type Layout struct {
	WorkDir string
}

// Runtime is the directory of sockets and of what belongs to running containers.
func (l Layout) Runtime() string { return filepath.Join(l.WorkDir, "run") }

// Containers is the directory with one runtime directory per container.
func (l Layout) Containers() string { return filepath.Join(l.WorkDir, "run", "containers") }

// ContainerRuntime is where a container's FIFOs and records are.
func (l Layout) ContainerRuntime(id string) string { return filepath.Join(l.Containers(), id) }

// Sandboxes is the directory with all sandboxes.
func (l Layout) Sandboxes() string { return filepath.Join(l.WorkDir, "sandboxes") }

// Sandbox is a container's working directory. The ids must be valid as path
// elements (sdk.ValidateID).
func (l Layout) Sandbox(f sdk.FrameworkID, e sdk.ExecutorID, id string) string {
	return filepath.Join(l.Sandboxes(), string(f), string(e), id)
}

// LogRoot is the directory with one log directory per container.
func (l Layout) LogRoot() string { return filepath.Join(l.WorkDir, "logs") }

// Logs is where a container's rotated output is.
func (l Layout) Logs(id string) string { return filepath.Join(l.LogRoot(), id) }

package cluster

import "github.com/profferhq/proffer/sdk"

// TaskAlive tells whether a task has not ended. It is not known while agents are
// still to come back to a new leader that does not know the task.
func (c *Cluster) TaskAlive(framework sdk.FrameworkID, id sdk.TaskID) (alive, known bool) {
	if f := c.frameworks[framework]; f != nil {
		if t := f.tasks[id]; t != nil {
			return !t.state.Terminal(), true
		}
	}
	return false, c.recovering == 0
}

// Package launcher is the parent of an agent's executors: one process per agent
// work directory, which outlives the agent.
//
// It starts executors by their specifications, drains their output, and is a child
// subreaper: it inherits the tasks of a killed executor and records their ends for
// the successor. It decides nothing; the agent tells it what to do over a unix
// socket that only root and its own user may use. It never touches a cgroup.
//
// One goroutine owns all state; connections hand it functions to run.
package launcher

// Package command is the default executor: the parent of all command tasks and
// task groups of one framework on one agent.
//
// It starts what the agent's launch specifications say, reports RUNNING with the
// process and the end with the wait status, kills by SIGTERM, grace and SIGKILL,
// and keeps a task group together. It knows no cgroup: emptying a container is the
// agent's work, and an acknowledged terminal update means that it is done.
//
// All it must remember stands in the launch records, so a successor started after
// a SIGKILL adopts every task: the living go on under it, with the escalation of a
// kill that was under way; the ends of the others come from the records of whoever
// inherited them. Updates have uuids made from the container's id, so what the
// successor tells again is known to be the same.
//
// It has the health checks of its tasks made (package checker) and obeys what package
// probe makes of the results: an update when a check turns and at each counted
// failure, and the task's end after too many in a row. What was found is written
// down before it is told, so a successor counts on.
//
// One goroutine owns all state; the driver, the waiter, the drain and timers hand
// it functions to run.
package command

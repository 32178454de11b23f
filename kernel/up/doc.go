// Package up is the supervisor behind `proffer up`: a whole cluster on one machine, as
// separate processes with all state in one directory.
//
// It owns the directory's lock, key, token and address file, the layout of ports and
// resources (layout.go, pure), and the lives of the daemons: one that dies is started
// again at once and named. It never speaks the kernel's protocols and never touches a
// task: at the end it asks the agents to stop what they run, and waits for them.
//
// Concurrency: Run blocks; it owns one goroutine per daemon and one that reaps. Daemons
// are started from one locked thread, because the kernel ties a child's parent-death
// signal to the thread that made it: kill -9 of `up` takes its daemons along, while the
// launchers, executors and tasks go on and are adopted by the next `up`.
package up

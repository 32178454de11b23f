// Package agent is the daemon on a machine: it offers what the machine has, makes
// containers for what a leader sends, has it started, watches it, and reports.
//
// One goroutine, the loop, owns the ledger (package ledger) and with it every
// decision. All others only bring it facts and do what it says: the link to the
// leader, the connections of executors, two small pools that prepare and destroy
// containers, the watcher of processes. The loop takes all facts that wait, steps
// the ledger, stores the records with one fsync, and performs the effects: so
// under load everything travels and is stored in batches.
//
// It never decides who may run what (the leader), never starts a task's process
// (its executor), and keeps nothing that must survive outside of the checkpoint.
//
// New binds; Run serves until its context ends. Handlers of HTTP run in their
// connection's goroutine and never touch the ledger.
package agent

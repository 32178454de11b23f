// Package operator is the client for tools: it reads a cluster's state, follows
// its events, kills tasks, tears frameworks down, and reads the output and files
// of tasks from their agents.
//
// Reads are answered by any master, writes by the leader, wherever the request
// arrives; every method tries all masters. A refusal is an *sdk.Error; that no
// master answers at all is told by IsUnreachable.
//
// It owns connections only and caches nothing. A Client may be used by any number
// of goroutines.
package operator

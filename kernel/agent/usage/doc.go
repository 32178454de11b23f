// Package usage reads what a container uses from the files of its control groups:
// processor time, memory, threads. It reads few files per sample, because a sample
// of every container every few seconds must stay cheap.
//
// It owns the numbers' names and units and the parsing, never the groups: their
// directories are parameters. Concurrency: no state.
package usage

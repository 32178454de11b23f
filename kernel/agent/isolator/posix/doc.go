// Package posix isolates without control groups: Limits applies the rlimits that a
// framework asks for, on every agent; Processes stands in for control groups where
// there are none (no root, nothing mounted) and ends a container's processes by
// what a plain system knows of them.
//
// Processes is weak, and says so: it limits nothing, and a process that has left
// its group and cleared its environment is not found. Chain.CanEmpty is false with
// it. Concurrency: no state.
package posix

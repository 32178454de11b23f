// Command demo plays the README's tour with the real binaries: it prints each step with
// its time, exits 0 when all of them happened, and else says in a sentence which did not.
// It owns the cluster that it starts, in a directory of its own, and stops it at the end,
// whatever happened. One goroutine; every step has a bound.
package main

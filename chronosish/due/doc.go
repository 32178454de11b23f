// Package due decides, for one job at a moment, which of its slots run, which are
// skipped and why, what the end of an attempt means, and whether another follows.
//
// It owns these rules and nothing else: no job, no run, no store. It is pure: time and
// all that it decides from come in as parameters, and it keeps nothing, so that it may
// be called from any number of goroutines. A slot is handled once: what Decide says is
// about slots after the last handled one only. Of missed slots the latest runs, or with a
// window all that are inside it; that none does is what a window of PT0S comes to.
package due

// Package sdktest is an in-process kernel for tests of frameworks.
//
//	k := sdktest.New(t, sdktest.Options{})
//	f, err := framework.New(k.Framework("mine"))
//
// It is made of the pure parts of the real one (kernel/cluster, kernel/allocator,
// kernel/registry, kernel/store, kernel/view, kernel/agent/ledger), so it offers,
// refuses, times out, reconciles and stores as the real one does. Only what surrounds those parts
// is simulated: agents that run tasks by script instead of processes, a registry
// that commits at once, and a clock that Advance moves. It serves the same
// endpoints over HTTP as a master does.
//
// Failures are injected by KillAgent, RestartAgent, LoseUpdates, LoseWrites,
// DropStreams, Elect.
//
// The scripts in testdata run against it and, through RunScript, against a real
// cluster; the transcripts must be equal, and that is what keeps the two alike.
//
// It never starts a process and never waits for real time of its own accord.
// A Kernel and its agents may be used by any number of goroutines.
package sdktest

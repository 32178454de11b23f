// Package executor is for whoever is the parent of processes: the authors of
// custom executors, Proffer's own default executor, and its launcher.
//
// It owns four things. Driver speaks the executor API of an agent: subscribe,
// launch and kill events, status updates until they are acknowledged. Start is
// the one launch function: it applies a LaunchSpec so that the process is born
// inside its groups, limits and user, and at most once. Record is what is kept on
// disk of a launch: the marker, the process and its exit, readable after a SIGKILL
// at any instruction. Launcher is the agent's connection to the launcher.
//
// The package never decides policy: what a container may use and where its files
// are comes in the LaunchSpec. It never signals a process on its own.
//
// Start may be called from several goroutines for different containers. Driver
// calls its handler from one goroutine at a time. Launcher's methods may be
// called from anywhere.
package executor

// Package e2e runs the built binaries as processes: one story per test, whose truth is
// what the tasks themselves wrote. It also holds the house rules as tests: imports,
// names, lengths, the README's commands, the examples in configs. It owns nothing of
// the product and imports only sdk; every process, cgroup and directory that a story
// makes is gone when it ends.
package e2e

// Package cgroup limits and ends containers through Linux control groups: cpu
// shares and quota, memory with the out-of-memory kill named, pids, and the
// freezer or cgroup.kill to end every process of a container.
//
// Two drivers stand behind one contract: v1 (one hierarchy per controller; where a
// cgroup2 mount exists beside them, a group without controllers there is used to
// track and kill) and v2. Open chooses by what is mounted, checks each mount by its
// file system's magic, and tries every limit on a group of its own, reading each
// back: a write into a plain directory would succeed and limit nothing.
//
// It owns one parent group of the agent's name in each hierarchy, and below it one
// fresh group per container, never used again: a group whose cgroup.kill was
// written kills everything that is born into it later. It never moves a process;
// the launch function makes a process be born inside. Of containerd/cgroups, whose
// only importer this is, it uses the look at the host and the enabling of
// controllers; groups of containers are made by few plain system calls, because
// each launch pays for them.
//
// Concurrency: as isolator says.
package cgroup

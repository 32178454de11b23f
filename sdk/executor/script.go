package executor

import (
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// defaultOpenFiles is the soft limit of open files of a process whose
// specification does not set one. Ours is raised by Go's runtime and is no
// business of the task: above 1024 programs that use select(2) break.
const defaultOpenFiles = 1024

// defaultPath is searched when the environment of the task has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// descriptors are the open files that the child uses.
type descriptors struct {
	marker         int
	groups         []int // `tasks` of each v1 group
	stdin          int
	stdout, stderr int
}

// script lists the system calls of the child in their order: first what needs the
// parent's rights, then the user, then what would hinder the rest.
func (b *birth) script(spec *sdk.LaunchSpec, fds descriptors) {
	if !plantAttachAfterExec {
		b.joinGroups(spec, fds.groups)
	}
	b.add("make a session", "", unix.SYS_SETSID)
	b.defaultSignals()
	b.add("connect stdin", "/dev/null", unix.SYS_DUP3, uintptr(fds.stdin), 0, 0)
	b.add("connect stdout", "", unix.SYS_DUP3, uintptr(fds.stdout), 1, 0)
	b.add("connect stderr", "", unix.SYS_DUP3, uintptr(fds.stderr), 2, 0)
	// Also what we inherited from a careless parent of our own (Linux 5.11).
	b.add("close descriptors", "", unix.SYS_CLOSE_RANGE, 3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC).mode = may
	b.oomScore(spec.OOMScoreAdj)
	// From here on it may have run, for whoever finds the marker; a limit on file
	// sizes, set next, could forbid this write.
	b.add("mark the start", "", unix.SYS_PWRITE64, uintptr(fds.marker), b.text("\x01"), 1, offBegan)
	b.limits(spec.RLimits)
	b.bounding(spec)
	if len(spec.Seccomp) > 0 && !spec.NoNewPrivs {
		b.seccomp(spec.Seccomp) // needs CAP_SYS_ADMIN, which the user will not have
	}
	b.user(spec)
	b.add("enter the sandbox", spec.Dir, unix.SYS_CHDIR, b.text(spec.Dir))
	if spec.NoNewPrivs {
		b.add("set no_new_privs", "", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1)
	}
	if len(spec.Seccomp) > 0 && spec.NoNewPrivs {
		b.seccomp(spec.Seccomp)
	}
	b.program(spec)
}

func (b *birth) add(step, path string, nr uintptr, args ...uintptr) *call {
	c := call{nr: nr, step: step, path: path}
	copy(c.args[:], args)
	b.calls = append(b.calls, c)
	return &b.calls[len(b.calls)-1]
}

// joinGroups moves the child itself into the v1 groups. "0" in `tasks` means the
// writing thread and, unlike any other pid or `cgroup.procs`, takes no lock that
// waits for every processor.
func (b *birth) joinGroups(spec *sdk.LaunchSpec, groups []int) {
	for i, fd := range groups {
		b.add("join cgroup", spec.CgroupsV1[i], unix.SYS_WRITE, uintptr(fd), b.text("0"), 1)
	}
}

// defaultSignals undoes what we ignore because our own parent did (nohup).
func (b *birth) defaultSignals() {
	zero := b.text(string(make([]byte, 64))) // longer than any struct sigaction
	for _, sig := range []unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGPIPE} {
		b.add("reset signals", "", unix.SYS_RT_SIGACTION, uintptr(sig), zero, 0, 8)
	}
}

func (b *birth) oomScore(adj int32) {
	if adj == 0 {
		return
	}
	const file = "/proc/self/oom_score_adj"
	text := strconv.Itoa(int(adj))
	cwd := unix.AT_FDCWD
	b.add("set oom_score_adj", file, unix.SYS_OPENAT, uintptr(cwd), b.text(file), unix.O_WRONLY|unix.O_CLOEXEC).mode = keep
	b.add("set oom_score_adj", file, unix.SYS_WRITE, 0, b.text(text), uintptr(len(text))).mode = onKept
}

func (b *birth) limits(limits []sdk.LaunchLimit) {
	files := false
	for _, l := range limits {
		b.limit(l)
		files = files || l.Resource == unix.RLIMIT_NOFILE
	}
	var own unix.Rlimit
	if !files && unix.Getrlimit(unix.RLIMIT_NOFILE, &own) == nil {
		b.limit(sdk.LaunchLimit{Resource: unix.RLIMIT_NOFILE, Soft: min(defaultOpenFiles, own.Max), Hard: own.Max})
	}
}

func (b *birth) limit(l sdk.LaunchLimit) {
	r := &unix.Rlimit{Cur: l.Soft, Max: l.Hard}
	b.pin.Pin(r)
	b.add("set resource limit "+strconv.Itoa(int(l.Resource)), "", unix.SYS_PRLIMIT64,
		0, uintptr(l.Resource), uintptr(unsafe.Pointer(r)), 0)
}

// bounding drops every capability that is not kept, as far as the kernel knows
// any, and the ambient ones.
func (b *birth) bounding(spec *sdk.LaunchSpec) {
	if !spec.DropBound {
		return
	}
	kept := map[uint32]bool{}
	for _, c := range spec.Bounding {
		kept[c] = true
	}
	for c := range uint32(64) {
		if has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0); err != nil {
			break
		} else if has == 1 && !kept[c] {
			b.add("drop capability "+strconv.Itoa(int(c)), "", unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(c))
		}
	}
	b.add("drop ambient capabilities", "", unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL).mode = may
}

// user gives up the parent's ids. These are the raw system calls, which are about
// one thread only; the child has no other.
func (b *birth) user(spec *sdk.LaunchSpec) {
	if !spec.SetIDs {
		return
	}
	var groups uintptr
	if len(spec.Groups) > 0 {
		list := append([]uint32(nil), spec.Groups...)
		b.pin.Pin(&list[0])
		groups = uintptr(unsafe.Pointer(&list[0]))
	}
	gid, uid := uintptr(spec.GID), uintptr(spec.UID)
	b.add("set groups", "", unix.SYS_SETGROUPS, uintptr(len(spec.Groups)), groups)
	b.add("set group "+strconv.Itoa(int(spec.GID)), "", unix.SYS_SETRESGID, gid, gid, gid)
	b.add("set user "+strconv.Itoa(int(spec.UID)), "", unix.SYS_SETRESUID, uid, uid, uid)
}

func (b *birth) seccomp(program []byte) {
	const instruction = 8
	code := make([]uint64, len(program)/instruction) // aligned
	for i, c := range program[:len(code)*instruction] {
		unsafe.Slice((*byte)(unsafe.Pointer(&code[0])), len(code)*instruction)[i] = c
	}
	prog := &unix.SockFprog{Len: uint16(len(code)), Filter: (*unix.SockFilter)(unsafe.Pointer(&code[0]))}
	b.pin.Pin(&code[0])
	b.pin.Pin(prog)
	b.add("install seccomp filter", "", unix.SYS_PRCTL, unix.PR_SET_SECCOMP,
		unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(prog)))
}

// program executes Path: as it is when it has a slash, else along the task's PATH
// with the task's own rights, as execvp does.
func (b *birth) program(spec *sdk.LaunchSpec) {
	args := spec.Args
	if len(args) == 0 {
		args = []string{spec.Path}
	}
	argv, envv := b.vector(args), b.vector(spec.Env)
	tries := []string{spec.Path}
	if !strings.Contains(spec.Path, "/") {
		tries = tries[:0]
		for _, dir := range strings.Split(searchPath(spec.Env), ":") {
			tries = append(tries, filepath.Join(dir, spec.Path))
		}
	}
	for _, path := range tries {
		b.add(stepExec, spec.Path, unix.SYS_EXECVE, b.text(path), argv, envv).mode = orNext
	}
}

const stepExec = "execute program"

func searchPath(env []string) string {
	for _, v := range env {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			return path
		}
	}
	return defaultPath
}

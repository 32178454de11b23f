package executor

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The runtime's own hooks around a fork, kept stable for uses like this one (see
// their comments in runtime/proc.go and go.dev/issue/67401). They block signals,
// catch any attempt of the child to grow the stack, and give the child default
// signal handlers.

//go:linkname beforeFork syscall.runtime_BeforeFork
func beforeFork()

//go:linkname afterFork syscall.runtime_AfterFork
func afterFork()

//go:linkname afterForkInChild syscall.runtime_AfterForkInChild
func afterForkInChild()

// vfork makes the system call trap(a1, a2, a3, 0, 0, 0), which returns twice.
//
//go:noescape
func vfork(trap, a1, a2, a3 uintptr) (r1, errno uintptr)

// call is one system call that the child makes between its birth and the program.
type call struct {
	nr   uintptr
	args [5]uintptr
	mode callMode
	step string // for the error: what it is for
	path string // for the error: what it is about
}

type callMode uint8

const (
	must   callMode = iota
	may             // a failure does not matter
	keep            // must, and the result is the first argument of later `onKept` calls
	onKept          // must, with the kept result as first argument
	orNext          // a failure leads to the next call (programs to try along PATH)
)

// birth is all that the child needs, made before it exists: it shares our memory
// until it executes the program, so it may neither allocate nor call Go code.
type birth struct {
	clone  cloneArgs
	pidfd  int32 // written by the kernel
	calls  []call
	failed int     // index+1 of the call that failed, written by the child
	errno  uintptr // of that call
	pin    runtime.Pinner
}

// cloneArgs is struct clone_args of clone3(2).
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal uint64
	stack, stackSize, tls                         uint64
	setTID, setTIDSize, cgroup                    uint64
}

// text is the address of s as a C string that outlives the fork.
func (b *birth) text(s string) uintptr {
	p := append(make([]byte, 0, len(s)+1), s...)
	p = append(p, 0)
	b.pin.Pin(&p[0])
	return uintptr(unsafe.Pointer(&p[0]))
}

// vector is the address of a list of C strings with a zero behind the last one.
func (b *birth) vector(list []string) uintptr {
	v := make([]uintptr, len(list)+1)
	for i, s := range list {
		v[i] = b.text(s)
	}
	b.pin.Pin(&v[0])
	return uintptr(unsafe.Pointer(&v[0]))
}

// fork makes the child and waits until it has executed the program or failed. In
// the first case it returns the pid and 0, in the second the pid of a child that
// is about to end with status 1, with b.failed set. An errno means no child.
//
// The kernel writes the pid to b.clone.parentTID before the child can run.
func (b *birth) fork() (pid int, errno syscall.Errno) {
	const flags = unix.CLONE_VFORK | unix.CLONE_VM | unix.CLONE_PARENT_SETTID
	b.pin.Pin(b)
	defer b.pin.Unpin()
	b.clone.flags |= flags | unix.CLONE_PIDFD
	b.clone.pidfd = uint64(uintptr(unsafe.Pointer(&b.pidfd)))
	b.clone.exitSignal = uint64(unix.SIGCHLD)
	b.pidfd = -1

	r, e := b.forkLocked(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&b.clone)), unsafe.Sizeof(b.clone), 0)
	if e == uintptr(unix.ENOSYS) && b.clone.flags&unix.CLONE_INTO_CGROUP == 0 {
		// Sandboxes that filter by the flags of clone(2) forbid clone3, whose
		// flags they cannot see.
		r, e = b.forkLocked(unix.SYS_CLONE, uintptr(flags|unix.SIGCHLD), 0, uintptr(b.clone.parentTID))
		if e == 0 && b.failed == 0 {
			if fd, err := unix.PidfdOpen(int(r), 0); err == nil {
				b.pidfd = int32(fd)
			}
		}
	}
	return int(r), syscall.Errno(e)
}

func (b *birth) forkLocked(trap, a1, a2, a3 uintptr) (pid, errno uintptr) {
	// As with every fork in Go: nobody opens a descriptor without close-on-exec
	// while the lock is held.
	syscall.ForkLock.Lock()
	defer syscall.ForkLock.Unlock()
	pid, errno = b.forkChild(trap, a1, a2, a3)
	afterFork()
	return pid, errno
}

// forkChild is a frame of its own: the child never leaves it, and the parent
// leaves it at once, so that nothing that the parent goes on to use lies where
// the child has worked.
//
//go:noinline
//go:norace
//go:nocheckptr
func (b *birth) forkChild(trap, a1, a2, a3 uintptr) (pid, errno uintptr) {
	var (
		kept, r uintptr
		e       syscall.Errno
		c       *call
		i       int
		lost    int // as b.failed, which must stay 0 when a later program along PATH is executed
		why     syscall.Errno
	)
	beforeFork()
	pid, errno = vfork(trap, a1, a2, a3)
	if errno != 0 || pid != 0 {
		return
	}

	afterForkInChild()
	for i = range b.calls {
		c = &b.calls[i]
		if c.mode == onKept {
			r, _, e = syscall.RawSyscall6(c.nr, kept, c.args[1], c.args[2], c.args[3], c.args[4], 0)
		} else {
			r, _, e = syscall.RawSyscall6(c.nr, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4], 0)
		}
		if e == 0 {
			if c.mode == keep {
				kept = r
			}
			continue
		}
		if c.mode == may {
			continue
		}
		// Of several programs along PATH the first that is there but may not be
		// executed is the error to tell, as execvp does.
		if lost == 0 || why != unix.EACCES {
			lost, why = i+1, e
		}
		if c.mode == orNext && (e == unix.ENOENT || e == unix.ENOTDIR || e == unix.EACCES) {
			continue
		}
		break
	}
	b.failed, b.errno = lost, uintptr(why)
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 1, 0, 0)
	}
}

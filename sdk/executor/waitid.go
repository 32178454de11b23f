package executor

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// childInfo is the part of siginfo_t that waitid(2) fills.
type childInfo struct {
	pid    int
	code   int32 // CLD_*
	status int32 // exit status or signal
}

const (
	cldExited = 1
	cldDumped = 3

	coreFlag = 0x80
)

// waitStatus is the status in the form of wait(2).
func (c childInfo) waitStatus() int32 {
	switch c.code {
	case cldExited:
		return c.status & 0xff << 8
	case cldDumped:
		return c.status | coreFlag
	}
	return c.status
}

// waitid returns a pid of 0 when WNOHANG is given and nothing has ended.
func waitid(kind, id, options int) (childInfo, error) {
	for {
		var info unix.Siginfo
		err := unix.Waitid(kind, id, &info, options, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return childInfo{}, os.NewSyscallError("waitid", err)
		}
		// The union behind signo, errno and code begins at a multiple of 8 on the
		// 64-bit systems that we have a fork for: pid, uid, status.
		f := (*[32]int32)(unsafe.Pointer(&info))
		return childInfo{pid: int(f[4]), code: info.Code, status: f[6]}, nil
	}
}

package supervise

import (
	"encoding/binary"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// poller is an epoll set that another goroutine can wake.
type poller struct {
	epoll, wakeup int
}

func newPoller() (*poller, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	ev, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(ep)
		return nil, os.NewSyscallError("eventfd", err)
	}
	p := &poller{epoll: ep, wakeup: ev}
	if err := p.add(ev, unix.EPOLLIN); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *poller) add(fd int, events uint32) error {
	return os.NewSyscallError("epoll_ctl add", unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd,
		&unix.EpollEvent{Events: events, Fd: int32(fd)}))
}

func (p *poller) change(fd int, events uint32) error {
	return os.NewSyscallError("epoll_ctl mod", unix.EpollCtl(p.epoll, unix.EPOLL_CTL_MOD, fd,
		&unix.EpollEvent{Events: events, Fd: int32(fd)}))
}

// remove must come before the descriptor is closed: the open file may live on in
// another process, and would go on to report events.
func (p *poller) remove(fd int) {
	_ = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, fd, nil)
}

// wake makes wait return.
func (p *poller) wake() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(p.wakeup, one[:])
}

// wait fills events with what is ready, after at most timeout; below zero it waits
// for ever.
func (p *poller) wait(events []unix.EpollEvent, timeout time.Duration) (int, error) {
	ms := -1
	if timeout >= 0 {
		ms = int((timeout + time.Millisecond - 1) / time.Millisecond)
	}
	n, err := unix.EpollWait(p.epoll, events, ms)
	if errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	return n, os.NewSyscallError("epoll_wait", err)
}

// woken tells whether fd is the wake-up's, and takes it back.
func (p *poller) woken(fd int) bool {
	if fd != p.wakeup {
		return false
	}
	var b [8]byte
	_, _ = unix.Read(fd, b[:])
	return true
}

func (p *poller) close() {
	_ = unix.Close(p.wakeup)
	_ = unix.Close(p.epoll)
}

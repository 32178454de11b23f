package master

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// deadPeer is how long what was sent may stay unacknowledged by the peer's
// machine. Without it the kernel sends again for a quarter of an hour, and the
// stream of a framework that was cut off counts as alive all the while.
const deadPeer = 30 * time.Second

// listen binds one of the master's TCP ports; accepted connections inherit what
// is set here. With shared set every master of this machine can bind the port.
func (m *Master) listen(port int, flag string, shared bool) (net.Listener, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		cerr := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(deadPeer.Milliseconds()))
			if err == nil && shared {
				err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
			}
		})
		if cerr != nil {
			return cerr
		}
		return err
	}}
	addr := net.JoinHostPort(m.opts.Bind, strconv.Itoa(port))
	ln, err := lc.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s %d: can not listen on %s: %w", flag, port, addr, err)
	}
	return ln, nil
}

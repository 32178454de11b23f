package executor

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// Launcher is a connection to the launcher of one agent work directory. Its
// methods may be called from several goroutines.
type Launcher struct {
	conn  *net.UnixConn
	pid   int
	exits chan Exit
	done  chan struct{}

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan *LauncherReply
	backlog []Exit // not yet taken from Exits
	filled  chan struct{}
}

// maxReply bounds one message of the launcher, in bytes.
const maxReply = 64 << 20

// Dial connects to the launcher behind a unix socket and agrees on a version. A
// launcher that runs as another user is refused.
func Dial(ctx context.Context, socket string) (*Launcher, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	conn := c.(*net.UnixConn)
	pid, err := CheckPeer(conn)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	l := &Launcher{conn: conn, pid: pid, exits: make(chan Exit), done: make(chan struct{}),
		waiting: map[uint64]chan *LauncherReply{}, filled: make(chan struct{}, 1)}
	go l.read()
	go l.deliver()
	if _, err := l.call(ctx, LauncherCall{Type: LauncherHello, Version: LauncherVersion}); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// CheckPeer refuses a unix connection whose other end is neither root nor of our
// own user (CodeDenied), and tells the pid of who opened it.
func CheckPeer(conn *net.UnixConn) (pid int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return 0, err
	}
	if credErr != nil {
		return 0, os.NewSyscallError("getsockopt SO_PEERCRED", credErr)
	}
	if cred.Uid != 0 && int(cred.Uid) != os.Getuid() {
		return 0, sdk.Errorf(sdk.CodeDenied, "", "the process %d at the other end runs as user %d; only root and user %d may", cred.Pid, cred.Uid, os.Getuid())
	}
	return int(cred.Pid), nil
}

// PID is the launcher's process, for an agent that is its parent.
func (l *Launcher) PID() int { return l.pid }

// Start starts an executor by its specification, at most once: a container id
// that was started before is answered with CodeConflict.
func (l *Launcher) Start(ctx context.Context, spec *sdk.LaunchSpec) (sdk.Process, error) {
	r, err := l.call(ctx, LauncherCall{Type: LauncherStart, Spec: spec})
	if err != nil || r.Process == nil {
		return sdk.Process{}, err
	}
	return *r.Process, nil
}

// List tells every executor that the launcher knows, also those that ended and
// were not forgotten.
func (l *Launcher) List(ctx context.Context) ([]Managed, error) {
	r, err := l.call(ctx, LauncherCall{Type: LauncherList})
	if err != nil {
		return nil, err
	}
	return r.Managed, nil
}

// Signal sends a signal to the process group of a container's process. One that
// has ended is no error.
func (l *Launcher) Signal(ctx context.Context, containerID string, sig syscall.Signal) error {
	_, err := l.call(ctx, LauncherCall{Type: LauncherSignal, ContainerID: containerID, Signal: int32(sig)})
	return err
}

// Forget says that the container is empty and its end is durable with the agent:
// the launcher drains what is left of its output and drops it.
func (l *Launcher) Forget(ctx context.Context, containerID string) error {
	_, err := l.call(ctx, LauncherCall{Type: LauncherForget, ContainerID: containerID})
	return err
}

// Upgrade makes the launcher exec the binary in its place; children stay. The
// connection ends soon after the answer: dial again.
func (l *Launcher) Upgrade(ctx context.Context, binary string) error {
	_, err := l.call(ctx, LauncherCall{Type: LauncherUpgrade, Binary: binary})
	return err
}

// Shutdown makes the launcher end as soon as no process is left below it.
func (l *Launcher) Shutdown(ctx context.Context) error {
	_, err := l.call(ctx, LauncherCall{Type: LauncherShutdown})
	return err
}

// Exits tells each end of an executor once per connection, those from before the
// connection that were not forgotten included. It is closed with the connection.
func (l *Launcher) Exits() <-chan Exit { return l.exits }

// Done is closed when the connection has ended.
func (l *Launcher) Done() <-chan struct{} { return l.done }

// Close ends the connection; the launcher goes on.
func (l *Launcher) Close() error { return l.conn.Close() }

func (l *Launcher) call(ctx context.Context, c LauncherCall) (*LauncherReply, error) {
	answer := make(chan *LauncherReply, 1)
	l.mu.Lock()
	l.next++
	c.ID = l.next
	l.waiting[c.ID] = answer
	b, err := wire.Marshal(wire.Msgpack, &c)
	if err == nil {
		_, err = l.conn.Write(wire.AppendRecord(nil, b))
	}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.waiting, c.ID)
		l.mu.Unlock()
	}()
	if err != nil {
		return nil, &sdk.Error{Code: sdk.CodeUnavailable, Op: "ask the launcher", Message: err.Error()}
	}
	return l.await(ctx, answer)
}

// await takes the answer to a call; one that came before the connection ended counts.
func (l *Launcher) await(ctx context.Context, answer <-chan *LauncherReply) (*LauncherReply, error) {
	var r *LauncherReply
	select {
	case r = <-answer:
	case <-l.done:
		select {
		case r = <-answer: // came before the end, as from one that shuts down
		default:
			return nil, sdk.Errorf(sdk.CodeUnavailable, "", "the launcher closed the connection")
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if r.Error != nil {
		return nil, r.Error
	}
	return r, nil
}

// read takes the launcher's messages until the connection ends.
func (l *Launcher) read() {
	defer close(l.done)
	defer l.conn.Close()
	records := wire.NewReader(l.conn, maxReply)
	for {
		b, err := records.Next()
		if err != nil {
			return
		}
		r := &LauncherReply{}
		if err := wire.Unmarshal(wire.Msgpack, b, r); err != nil {
			return
		}
		l.mu.Lock()
		switch answer := l.waiting[r.ID]; {
		case r.ID == 0 && r.Exit != nil:
			l.backlog = append(l.backlog, *r.Exit)
			signal(l.filled)
		case answer != nil:
			delete(l.waiting, r.ID)
			answer <- r
		}
		l.mu.Unlock()
	}
}

// deliver hands out exits, however slowly they are taken, so that a slow taker
// does not hold up the answers.
func (l *Launcher) deliver() {
	defer close(l.exits)
	for {
		l.mu.Lock()
		all := l.backlog
		l.backlog = nil
		l.mu.Unlock()
		for _, e := range all {
			select {
			case l.exits <- e:
			case <-l.done:
				return
			}
		}
		select {
		case <-l.filled:
		case <-l.done:
			return
		}
	}
}

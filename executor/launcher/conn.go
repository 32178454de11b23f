package launcher

import (
	"errors"
	"net"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/wire"
)

const (
	maxCall = 16 << 20
	// writeTimeout ends a connection whose other end does not read.
	writeTimeout = 10 * time.Second
)

// conn is one agent.
type conn struct {
	c *net.UnixConn

	writing sync.Mutex // held while out is written, taken before mu
	mu      sync.Mutex
	out     []byte
	wake    chan struct{}
	done    chan struct{}
	once    sync.Once
}

func (l *Launcher) accept() {
	for {
		c, err := l.listen.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			l.o.Log.Error("accept", "error", err)
			select {
			case <-l.done:
				return
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		if _, err := executor.CheckPeer(c); err != nil {
			l.o.Log.Warn("a connection is refused", "error", err)
			_ = c.Close()
			continue
		}
		go l.serve(&conn{c: c, wake: make(chan struct{}, 1), done: make(chan struct{})})
	}
}

// serve reads the calls of one connection.
func (l *Launcher) serve(c *conn) {
	defer c.close()
	go c.write()
	defer l.do(func() { delete(l.conns, c) })
	records := wire.NewReader(c.c, maxCall)
	for hello := false; ; hello = true {
		b, err := records.Next()
		if err != nil {
			return
		}
		call := &executor.LauncherCall{}
		if err := wire.Unmarshal(wire.Msgpack, b, call); err != nil {
			l.o.Log.Warn("a call is not understood", "error", err)
			return
		}
		if (call.Type == executor.LauncherHello) == hello {
			c.send(&executor.LauncherReply{ID: call.ID, Error: sdk.Errorf(sdk.CodeInvalid, "type", "HELLO is the first call, and only that")})
			return
		}
		answered := make(chan struct{})
		l.do(func() {
			c.send(l.answer(c, call))
			if call.Type == executor.LauncherHello && call.Version > 0 {
				l.greet(c)
			}
			close(answered)
		})
		select {
		case <-answered:
		case <-l.done:
			c.flush() // the last call was what ended the launcher: its answer goes out before the close
			return
		}
	}
}

// answer does one call; in the loop.
func (l *Launcher) answer(c *conn, call *executor.LauncherCall) *executor.LauncherReply {
	r := &executor.LauncherReply{ID: call.ID}
	var err error
	switch call.Type {
	case executor.LauncherHello:
		r.Version = min(call.Version, executor.LauncherVersion)
		if call.Version == 0 {
			err = sdk.Errorf(sdk.CodeUnsupported, "version", "is 0; this launcher speaks 1 to %d", executor.LauncherVersion)
		}
	case executor.LauncherStart:
		if call.Spec == nil {
			err = sdk.Errorf(sdk.CodeInvalid, "spec", "is missing")
			break
		}
		r.Process, err = l.start(call.Spec)
	case executor.LauncherList:
		r.Managed = l.list()
	case executor.LauncherSignal:
		err = l.signal(call.ContainerID, unix.Signal(call.Signal))
	case executor.LauncherForget:
		err = l.forget(call.ContainerID)
	case executor.LauncherUpgrade:
		if !filepath.IsAbs(call.Binary) {
			err = sdk.Errorf(sdk.CodeInvalid, "binary", "is %q; an absolute path is needed", call.Binary)
			break
		}
		l.upgrade = call.Binary
	case executor.LauncherShutdown:
		l.ending = true
	default:
		err = sdk.Errorf(sdk.CodeUnsupported, "type", "%s is not known to this launcher", call.Type)
	}
	r.Error = asError(err)
	return r
}

// asError keeps an error's class over the wire.
func asError(err error) *sdk.Error {
	if err == nil {
		return nil
	}
	var known *sdk.Error
	if errors.As(err, &known) {
		return known
	}
	return &sdk.Error{Code: sdk.CodeInternal, Message: err.Error()}
}

// greet tells a new connection the ends that are not forgotten.
func (l *Launcher) greet(c *conn) {
	l.conns[c] = struct{}{}
	for _, m := range l.managed {
		if m.told {
			c.send(&executor.LauncherReply{Exit: m.exit})
		}
	}
}

func (l *Launcher) publish(m *managed) {
	m.told = true
	for c := range l.conns {
		c.send(&executor.LauncherReply{Exit: m.exit})
	}
}

// send queues a message; it never blocks.
func (c *conn) send(r *executor.LauncherReply) {
	if r == nil {
		return
	}
	b, err := wire.Marshal(wire.Msgpack, r)
	if err != nil {
		c.close()
		return
	}
	c.mu.Lock()
	c.out = wire.AppendRecord(c.out, b)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// flush writes what is queued. It is called with the loop waiting only for the
// last words before an end or an upgrade.
func (c *conn) flush() {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	b := c.out
	c.out = nil
	c.mu.Unlock()
	if len(b) == 0 {
		return
	}
	_ = c.c.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := c.c.Write(b); err != nil {
		c.close()
	}
}

func (c *conn) write() {
	for {
		select {
		case <-c.wake:
			c.flush()
		case <-c.done:
			return
		}
	}
}

func (c *conn) close() {
	c.once.Do(func() {
		close(c.done)
		_ = c.c.Close()
	})
}

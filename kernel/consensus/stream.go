package consensus

import (
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/credential"
)

// stream is raft's StreamLayer over TCP with the handshake in front. Handshakes
// run beside each other, so that a silent stranger holds up nobody.
type stream struct {
	ln        net.Listener
	advertise string
	key       credential.Key
	log       *slog.Logger
	ready     chan net.Conn
	slots     chan struct{} // bounds the handshakes under way
	done      chan struct{}
	wait      sync.WaitGroup
}

// maxHandshakes is how many strangers may be in the handshake at once; more
// wait in the listener's backlog.
const maxHandshakes = 64

func newStream(ln net.Listener, advertise string, key credential.Key, log *slog.Logger) *stream {
	s := &stream{ln: ln, advertise: advertise, key: key, log: log,
		ready: make(chan net.Conn), slots: make(chan struct{}, maxHandshakes), done: make(chan struct{})}
	s.wait.Go(s.listen)
	return s
}

func (s *stream) listen() {
	for {
		conn, err := s.ln.Accept()
		if err != nil {
			select {
			case <-s.done:
				return
			case <-time.After(50 * time.Millisecond): // out of descriptors, say; the next may do
				s.log.Warn("raft listener", "error", err)
				continue
			}
		}
		select {
		case s.slots <- struct{}{}:
			s.wait.Go(func() { s.greet(conn) })
		case <-s.done:
			_ = conn.Close()
			return
		}
	}
}

func (s *stream) greet(conn net.Conn) {
	err := acceptHandshake(conn, s.key)
	<-s.slots
	if err != nil {
		s.log.Warn("raft peer refused", "peer", conn.RemoteAddr().String(), "error", err)
		_ = conn.Close()
		return
	}
	select {
	case s.ready <- conn:
	case <-s.done:
		_ = conn.Close()
	}
}

// stop ends the acceptor and every handshake under way; the node calls it once.
func (s *stream) stop() {
	close(s.done)
	_ = s.ln.Close()
	s.wait.Wait()
}

// layer is the StreamLayer of one raft instance. It ends with the instance, the
// stream behind it stays for the next one.
type layer struct {
	*stream
	over func()
	done chan struct{}
}

func newLayer(s *stream) *layer {
	done := make(chan struct{})
	once := sync.Once{}
	return &layer{stream: s, done: done, over: func() { once.Do(func() { close(done) }) }}
}

// Accept gives the next peer that proved itself.
func (l *layer) Accept() (net.Conn, error) {
	select {
	case conn := <-l.ready:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-l.stream.done:
		return nil, net.ErrClosed
	}
}

// Close ends this instance's part.
func (l *layer) Close() error {
	l.over()
	return nil
}

// Addr is what peers dial.
func (l *layer) Addr() net.Addr { return advertised(l.advertise) }

// Dial connects to a peer and proves us.
func (l *layer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", string(address), timeout)
	if err != nil {
		return nil, err
	}
	if err := dialHandshake(conn, l.key); err != nil {
		l.log.Warn("raft peer not joined", "error", err)
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// advertised is an address as it was told, not resolved.
type advertised string

func (advertised) Network() string  { return "tcp" }
func (a advertised) String() string { return string(a) }

// Knock proves us to a peer and hangs up: a master that waits to be added to a
// cluster learns whether it ever can be.
func (n *Node) Knock(address string, timeout time.Duration) error {
	conn, err := net.DialTimeout("tcp", address, timeout)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing was sent that could be lost
	return dialHandshake(conn, n.opts.Key)
}

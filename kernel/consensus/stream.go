package consensus

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
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
	answer    func(question) answer // to a peer's question
	waits     func() bool           // no raft runs here that could take a connection
	ready     chan net.Conn
	broke     chan struct{} // has a token when a peer has ended a connection of raft's
	slots     chan struct{} // bounds the handshakes under way
	silent    *atomic.Bool  // nothing goes out of raft's connections
	done      chan struct{}
	wait      sync.WaitGroup
}

// maxHandshakes is how many strangers may be in the handshake at once; more
// wait in the listener's backlog.
const maxHandshakes = 64

func newStream(ln net.Listener, advertise string, key credential.Key, log *slog.Logger, silent *atomic.Bool) *stream {
	s := &stream{ln: ln, advertise: advertise, key: key, log: log, silent: silent,
		ready: make(chan net.Conn), broke: make(chan struct{}, 1), slots: make(chan struct{}, maxHandshakes), done: make(chan struct{})}
	return s
}

// begin listens; answer is asked for what other masters want to know. While waits is
// true raft's own connections are closed at once.
func (s *stream) begin(answer func(question) answer, waits func() bool) {
	s.answer, s.waits = answer, waits
	s.wait.Go(s.listen)
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
	hello, err := acceptHandshake(conn, s.key)
	if err == nil && hello == helloTalk {
		err = s.talk(conn)
		<-s.slots
		_ = conn.Close()
		if err != nil {
			s.log.Debug("a question of a raft peer was not answered", "peer", conn.RemoteAddr().String(), "error", err)
		}
		return
	}
	<-s.slots
	if err == nil && s.waits() {
		_ = conn.Close()
		return
	}
	if err != nil {
		s.log.Warn("raft peer refused", "peer", conn.RemoteAddr().String(), "error", err)
		_ = conn.Close()
		return
	}
	select {
	case s.ready <- mourned{conn, s.broke, peerTimeout}:
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

	calls  context.Context // ends with hangUp
	hangUp context.CancelFunc
}

func newLayer(s *stream) *layer {
	done := make(chan struct{})
	once := sync.Once{}
	l := &layer{stream: s, done: done, over: func() { once.Do(func() { close(done) }) }}
	l.calls, l.hangUp = context.WithCancel(context.Background())
	return l
}

// Accept gives the next peer that proved itself.
func (l *layer) Accept() (net.Conn, error) {
	select {
	case conn := <-l.ready:
		return conn, nil
	case <-l.done:
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
	d := net.Dialer{Timeout: timeout}
	conn, err := d.DialContext(l.calls, "tcp", string(address))
	if err != nil {
		return nil, err
	}
	ended := context.AfterFunc(l.calls, func() { _ = conn.Close() })
	if err := dialHandshake(conn, l.key, helloRaft); err != nil {
		l.log.Warn("raft peer not joined", "error", err)
		ended()
		_ = conn.Close()
		return nil, err
	}
	return spoken{conn, l.stream, ended}, nil
}

// spoken is a connection that ends when something is to be sent while we are silent.
type spoken struct {
	net.Conn
	of    *stream
	ended func() bool // nobody waits for hangUp any more
}

func (s spoken) Close() error {
	s.ended()
	return s.Conn.Close()
}

func (s spoken) Write(b []byte) (int, error) {
	if s.of.silent.Load() {
		return 0, errSilent
	}
	return s.Conn.Write(b)
}

var errSilent = errors.New("this master is silent because its disk is slow")

// advertised is an address as it was told, not resolved.
type advertised string

func (advertised) Network() string  { return "tcp" }
func (a advertised) String() string { return string(a) }

package membership

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// fabric is a network of a test, in virtual time: nothing in it waits for the network,
// so that time can pass when all members wait. A pair of hosts can be cut, one way or
// both.
type fabric struct {
	mu    sync.Mutex
	ports map[string]*port
	cuts  map[[2]string]bool // from, to
}

func newFabric() *fabric { return &fabric{ports: map[string]*port{}, cuts: map[[2]string]bool{}} }

// port is one member's transport.
type port struct {
	net     *fabric
	addr    *net.TCPAddr
	packets chan *memberlist.Packet
	streams chan net.Conn
}

// maxFlight is how many packets may wait for a member; more are lost, as on a network.
const maxFlight = 4096

func (f *fabric) port(addr string) *port {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		panic(err) // the test wrote it
	}
	p := &port{net: f, addr: a, packets: make(chan *memberlist.Packet, maxFlight), streams: make(chan net.Conn, maxFlight)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ports[addr] = p
	return p
}

// cut cuts the way from one address to another, or mends it.
func (f *fabric) cut(from, to string, is bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cuts[[2]string{from, to}] = is
}

// reach is the port at an address; nil: nothing gets there.
func (f *fabric) reach(from, to string) *port {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cuts[[2]string{from, to}] {
		return nil
	}
	return f.ports[to]
}

func (p *port) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return p.addr.IP, p.addr.Port, nil
}

func (p *port) WriteTo(b []byte, addr string) (time.Time, error) {
	now := time.Now()
	if to := p.net.reach(p.addr.String(), addr); to != nil {
		select {
		case to.packets <- &memberlist.Packet{Buf: append([]byte(nil), b...), From: p.addr, Timestamp: now}:
		default:
		}
	}
	return now, nil
}

func (p *port) PacketCh() <-chan *memberlist.Packet { return p.packets }

// DialTimeout fails at once where a real one would wait: what the members make of it is
// the same.
func (p *port) DialTimeout(addr string, _ time.Duration) (net.Conn, error) {
	to := p.net.reach(p.addr.String(), addr)
	if to == nil || p.net.reach(addr, p.addr.String()) == nil { // no handshake either way
		return nil, errors.New("no route")
	}
	here, there := net.Pipe()
	select {
	case to.streams <- there:
		return here, nil
	default:
		return nil, errors.New("refused")
	}
}

func (p *port) StreamCh() <-chan net.Conn { return p.streams }

func (p *port) Shutdown() error {
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	delete(p.net.ports, p.addr.String())
	return nil
}

package ports

import (
	"net"
	"strconv"
	"testing"
)

// Whichever port of a cluster is taken, its offset is not given.
func TestEveryPortIsLookedAt(t *testing.T) {
	offset, err := Offset(t.Name(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if offset%Step != 0 || offset < Step {
		t.Errorf("offset %d", offset)
	}
	for _, addr := range []string{"127.0.0.1:5050", "127.0.0.1:5051", "127.0.0.2:5061", "127.0.0.1:5052", "127.0.0.1:7946", "127.0.0.1:7947", "127.0.0.2:7957", "127.0.0.1:8080", "127.0.0.1:4400", "127.0.0.1:21000", "127.0.0.1:21099"} {
		host, text, _ := net.SplitHostPort(addr)
		port, _ := strconv.Atoi(text)
		at := net.JoinHostPort(host, strconv.Itoa(port+offset))
		for _, network := range []string{"tcp", "udp"} {
			end := take(t, network, at)
			if err := Free(offset, 2); err == nil {
				t.Errorf("%s %s is taken, and the offset free", network, at)
			}
			if other, err := Offset(t.Name(), 2); err != nil || other == offset {
				t.Errorf("%s %s is taken: %d, %v", network, at, other, err)
			}
			end()
		}
	}
	if err := Free(offset, 2); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func take(t *testing.T, network, addr string) (end func()) {
	t.Helper()
	var err error
	if network == "udp" {
		c, e := net.ListenPacket(network, addr)
		if err = e; err == nil {
			return func() { _ = c.Close() }
		}
	} else {
		l, e := net.Listen(network, addr)
		if err = e; err == nil {
			return func() { _ = l.Close() }
		}
	}
	t.Fatal(err)
	return nil
}

package farm

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk/wire"
)

// The bounds of a request, as the real agents have them.
const (
	dialTimeout = 3 * time.Second
	callTimeout = 10 * time.Second
	maxHops     = 5
)

// conn is a connection to a master that is opened when it is needed. It says what the
// HTTP client of a real agent says, in fewer goroutines.
type conn struct {
	f    *Farm
	host string
	mu   sync.Mutex // close comes from elsewhere
	raw  net.Conn
	r    *bufio.Reader
	over bool
}

// counted counts the bytes of a connection.
type counted struct {
	net.Conn
	c *Counts
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.c.In.Add(int64(n))
	return n, err
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.c.Out.Add(int64(n))
	return n, err
}

func (c *conn) dial(host string) error {
	if c.raw != nil && c.host == host {
		return nil
	}
	c.reset()
	raw, err := net.DialTimeout("tcp", host, dialTimeout)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw, c.host = counted{raw, &c.f.Counts}, host
	c.r = bufio.NewReaderSize(c.raw, 2048)
	if c.over {
		_ = raw.Close()
	}
	return nil
}

// reset forgets the connection, so that the next call makes another.
func (c *conn) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.raw != nil {
		_ = c.raw.Close()
		c.raw = nil
	}
}

// close ends the connection for good.
func (c *conn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.raw != nil {
		_ = c.raw.Close()
	}
}

// ask posts a body of calls and gives the answer's head; its body must be read.
func (c *conn) ask(host string, body []byte, sequence bool, session string, more ...string) (*http.Response, error) {
	fresh := c.raw == nil || c.host != host
	if err := c.dial(host); err != nil {
		return nil, err
	}
	kind, inner := wire.Body{Encoding: wire.Msgpack, Records: sequence}.Headers()
	head := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: %d\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\n",
		link.Path, host, len(body), c.f.token, kind)
	if inner != "" {
		head = fmt.Appendf(head, "%s: %s\r\n", wire.HeaderMessageContentType, inner)
	}
	if session != "" {
		head = fmt.Appendf(head, "%s: %s\r\n", link.SessionHeader, session)
	}
	for _, line := range more {
		head = append(append(head, line...), "\r\n"...)
	}
	head = append(append(head, "\r\n"...), body...)
	_ = c.raw.SetDeadline(time.Now().Add(max(callTimeout, c.f.o.Timeout)))
	_, err := c.raw.Write(head)
	var resp *http.Response
	if err == nil {
		resp, err = http.ReadResponse(c.r, &http.Request{Method: http.MethodPost})
	}
	if err != nil {
		c.reset()
		if !fresh && errors.Is(err, io.ErrUnexpectedEOF) { // the server may have closed it as idle
			return c.ask(host, body, sequence, session, more...)
		}
		return nil, err
	}
	_ = c.raw.SetDeadline(time.Time{})
	return resp, nil
}

// register opens a stream at whoever leads.
func (a *agent) register(ctx context.Context) (*stream, io.Reader, error) {
	r := a.report()
	body, err := wire.Marshal(wire.Msgpack, &link.Call{Version: link.Version, Type: link.CallRegister, AgentID: r.Agent.ID, Register: r})
	if err != nil {
		return nil, nil, err
	}
	err = errors.New("no master answers")
	for _, host := range append([]string{a.leader}, a.f.o.Addrs...) {
		if host == "" || ctx.Err() != nil {
			continue
		}
		var s *stream
		var events io.Reader
		if s, events, err = a.registerAt(ctx, host, body); err == nil {
			a.leader = s.c.host
			return s, events, nil
		}
	}
	return nil, nil, err
}

func (a *agent) registerAt(ctx context.Context, host string, body []byte) (*stream, io.Reader, error) {
	c := &conn{f: a.f}
	stop := context.AfterFunc(ctx, c.close)
	defer stop()
	challenge := rand.Text()
	for range maxHops {
		resp, err := c.ask(host, body, false, "", "Accept: "+wire.Msgpack.ContentType(), credential.HeaderChallenge+": "+challenge)
		if err != nil {
			c.close()
			return nil, nil, err
		}
		if resp.StatusCode == http.StatusTemporaryRedirect {
			at, err := url.Parse(resp.Header.Get("Location"))
			if err != nil || at.Host == "" {
				break
			}
			host = at.Host
			c.reset()
			continue
		}
		if resp.StatusCode != http.StatusOK {
			c.close()
			return nil, nil, errors.New(resp.Status)
		}
		if resp.Header.Get(credential.HeaderProof) != a.f.o.Key.LinkProof(challenge) {
			c.close()
			return nil, nil, errors.New("it does not hold the key")
		}
		return &stream{a: a, c: c, session: resp.Header.Get(link.SessionHeader)}, resp.Body, nil
	}
	c.close()
	return nil, nil, errors.New("redirected in a circle")
}

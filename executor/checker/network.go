package checker

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

const (
	// maxHead bounds what is read of an answer before its body.
	maxHead = 64 << 10
	// maxBody and bodyPatience bound what is read of the body: enough that a server
	// is not cut off in the middle of a short answer.
	maxBody      = 64 << 10
	bodyPatience = 100 * time.Millisecond
)

// connect opens a connection to a port of the task, at the first host where
// somebody takes it.
func (c *Checker) connect(ctx context.Context, p sdk.IPProtocol, port uint32) (net.Conn, error) {
	network, hosts := "tcp4", c.hosts4
	if p == sdk.ProtocolIPv6 {
		network, hosts = "tcp6", c.hosts6
	}
	var first error
	for i, host := range hosts {
		conn, err := dial(ctx, network, net.JoinHostPort(host, strconv.Itoa(int(port))), len(hosts)-i)
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
	}
	if errors.Is(first, unix.ECONNREFUSED) {
		return nil, fmt.Errorf("nothing listens on port %d of %s", port, hosts[0])
	}
	return nil, first
}

// dial gives an address its share of the time that is left for so many.
func dial(ctx context.Context, network, address string, share int) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1, FallbackDelay: -1}
	if deadline, ok := ctx.Deadline(); ok {
		d.Timeout = max(time.Millisecond, time.Until(deadline)/time.Duration(share))
	}
	return d.DialContext(ctx, network, address)
}

// request makes one HTTP request on a connection of its own. Redirects are not
// followed: their status is as good as 200.
func (c *Checker) request(ctx context.Context, h *sdk.HTTPCheckInfo) error {
	conn, err := c.connect(ctx, h.Protocol, h.Port)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()

	host := conn.RemoteAddr().String()
	stream := conn
	if h.Scheme == "https" {
		// Who the task is, is known: we started it. The certificate need not say it.
		t := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
		if err := t.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("TLS with %s: %w", host, err)
		}
		stream = t
	}
	path := h.Path
	if path == "" {
		path = "/"
	}
	if _, err := io.WriteString(stream, "GET "+path+" HTTP/1.1\r\nHost: "+host+
		"\r\nUser-Agent: proffer-executor\r\nAccept: */*\r\nConnection: close\r\n\r\n"); err != nil {
		return fmt.Errorf("GET %s at %s: %w", path, host, err)
	}
	status, err := answer(stream, func() { _ = conn.SetReadDeadline(time.Now().Add(bodyPatience)) })
	if err != nil {
		return fmt.Errorf("GET %s at %s: %w", path, host, err)
	}
	if !good(status, h.Statuses) {
		return fmt.Errorf("GET %s at %s answers with status %d", path, host, status)
	}
	return nil
}

// answer reads the status of the first answer that is not a provisional one. It
// calls hurry before the body, which matters no more.
func answer(stream io.Reader, hurry func()) (int, error) {
	limit := &io.LimitedReader{R: stream, N: maxHead}
	r := bufio.NewReaderSize(limit, 1024)
	for {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			if limit.N <= 0 {
				return 0, errors.New("the head of the answer is too long")
			}
			return 0, err
		}
		if resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		limit.N = maxBody
		hurry()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, nil
	}
}

// good tells whether a status means healthy.
func good(status int, wanted []uint32) bool {
	if len(wanted) == 0 {
		return status >= 200 && status < 400
	}
	return slices.Contains(wanted, uint32(status))
}

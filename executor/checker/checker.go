package checker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Checker makes checks on one agent.
type Checker struct {
	hosts4, hosts6 []string // to be tried in this order
}

// New makes a checker. endpoint is the agent's address ("host:port"), empty when it
// is not known.
func New(endpoint string) *Checker {
	c := &Checker{}
	host, _, err := net.SplitHostPort(endpoint)
	if err != nil {
		host = ""
	}
	ip := net.ParseIP(host)
	if host != "" && host != loopback4 && (ip == nil || ip.To4() != nil) {
		c.hosts4 = append(c.hosts4, host)
	}
	if host != "" && host != loopback6 && (ip == nil || ip.To4() == nil) {
		c.hosts6 = append(c.hosts6, host)
	}
	c.hosts4, c.hosts6 = append(c.hosts4, loopback4), append(c.hosts6, loopback6)
	return c
}

const (
	loopback4 = "127.0.0.1"
	loopback6 = "::1"
)

// Task is what a check must know of its task.
type Task struct {
	Spec  func() (*sdk.LaunchSpec, error) // how it was started; asked for by command checks
	Index int                             // of the check
}

// Check makes a check once, and says why it failed; nil means that the task is
// healthy. ctx must have a deadline, the check's time-out.
func (c *Checker) Check(ctx context.Context, h *sdk.HealthCheck, t Task) error {
	began := time.Now()
	var err error
	switch {
	case h.Type == sdk.HealthCheckHTTP && h.HTTP != nil:
		err = c.request(ctx, h.HTTP)
	case h.Type == sdk.HealthCheckTCP && h.TCP != nil:
		var conn net.Conn
		if conn, err = c.connect(ctx, h.TCP.Protocol, h.TCP.Port); err == nil {
			_ = conn.Close()
		}
	case h.Type == sdk.HealthCheckCommand && h.Command != nil:
		err = command(ctx, h.Command, t)
	default:
		err = fmt.Errorf("a check of type %q is not known to this executor", h.Type)
	}
	var timeout net.Error
	if err != nil && (ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout()) {
		return fmt.Errorf("no result within %v: %w", time.Since(began).Round(time.Millisecond), err)
	}
	return err
}

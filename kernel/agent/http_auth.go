package agent

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
)

type contextKey struct{ name string }

// caller is who a request comes from.
type caller struct {
	local  bool // over the agent's own socket, by the agent's own user: the default executor
	claims credential.Claims
}

// markUnix notes on a connection of the socket whether its peer is the agent's own
// user. The mode of the socket says the same; this holds where a mode was changed.
func markUnix(ctx context.Context, c net.Conn) context.Context {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return ctx
	}
	var own peer
	_ = raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err == nil {
			own = peer{own: int(cred.Uid) == unix.Geteuid(), pid: int(cred.Pid)}
		}
	})
	return context.WithValue(ctx, contextKey{"local"}, own)
}

// peer is who opened a connection of the socket.
type peer struct {
	own bool // the agent's own user
	pid int
}

func peerOf(r *http.Request) peer {
	p, _ := r.Context().Value(contextKey{"local"}).(peer)
	return p
}

func isLocal(r *http.Request) bool { return peerOf(r).own }

// admit lets a request through to a route, or says why not.
func (a *Agent) admit(who permission, r *http.Request) error {
	if isLocal(r) {
		return nil
	}
	if err := a.checkHost(r); err != nil {
		return err
	}
	if who == anyone || a.o.Insecure {
		return nil
	}
	c, err := a.key.Verify(tokenOf(r))
	if err != nil {
		return err
	}
	switch {
	case who == holders:
		return nil
	case who == executors && c.Kind == credential.KindExecutor && c.AgentID == *a.agentID.Load():
		return nil
	case who == readers && c.Reads(sdk.FrameworkID(r.URL.Query().Get("framework_id")), sdk.TaskID(r.URL.Query().Get("task_id")), *a.agentID.Load(), time.Now()):
		return nil
	case (who == operators || who == readers) && (c.Kind == credential.KindOperator || c.Kind == credential.KindMaster):
		return nil
	}
	return sdk.Errorf(sdk.CodeDenied, "", "a token of the kind %s does not permit %s", c.Kind, r.URL.Path)
}

// claimsOf is what the token of an admitted request says.
func (a *Agent) claimsOf(r *http.Request) caller {
	if isLocal(r) {
		return caller{local: true}
	}
	c, _ := a.key.Verify(tokenOf(r)) // admitted before, or --insecure
	return caller{claims: c}
}

// tokenOf is the bearer token, or the password of Basic.
func tokenOf(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return strings.TrimSpace(token)
	}
	_, password, _ := r.BasicAuth()
	return password
}

// checkHost refuses requests that a browser was tricked into: a name that is not
// this agent's (DNS rebinding), or a page of another origin.
func (a *Agent) checkHost(r *http.Request) error {
	if !a.ownName(r.Host) {
		return sdk.Errorf(sdk.CodeDenied, "Host", "%q is not a name of this agent", r.Host)
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host != r.Host {
			return sdk.Errorf(sdk.CodeDenied, "Origin", "pages of %q may not call this agent", origin)
		}
	}
	return nil
}

func (a *Agent) ownName(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if net.ParseIP(host) != nil || host == "localhost" || strings.EqualFold(host, a.o.Hostname) {
		return true // a rebound name is never an address
	}
	own, _, _ := net.SplitHostPort(a.addr)
	return strings.EqualFold(host, own)
}

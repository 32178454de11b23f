package master

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/kernel/boot"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/gateway"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

const (
	// servicePath is followed by the name of a framework.
	servicePath = "/service"
	// maxVia is how many times a request may pass gateways: one may lead to another
	// framework, but not round in a circle.
	maxVia = 4
	via    = "1.1 proffer"
)

// newGatewayTransport reaches frameworks and, from a follower, the leader; what passes is
// not touched. Whoever is asked may think for so long before its answer begins.
func newGatewayTransport(think time.Duration) *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       30 * time.Second,
		ResponseHeaderTimeout: think,
	}
}

// publishedRoute is the route of a port that belongs to one name: its paths are the
// framework's own.
func publishedRoute(name string) Route {
	r := gatewayRoute()
	r.handler = func(m *Master, w http.ResponseWriter, req *http.Request, who caller) {
		m.passOn(w, req, who, passage{name: name, rest: req.URL.EscapedPath()})
	}
	return r
}

// passage is one request on its way to a framework.
type passage struct {
	name   string
	rest   string // escaped path as the framework sees it
	prefix string // what the caller has before it
	leader bool   // it goes to the leader first
}

// serveService answers /service/NAME/….
func (m *Master) serveService(w http.ResponseWriter, req *http.Request, who caller) {
	path := strings.TrimPrefix(req.URL.EscapedPath(), servicePath)
	escaped, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	name, err := url.PathUnescape(escaped)
	if err != nil || name == "" {
		refuseJSON(w, sdk.Errorf(sdk.CodeNotFound, "", "name a framework: %s/NAME/…", servicePath))
		return
	}
	m.passOn(w, req, who, passage{name: name, rest: "/" + rest, prefix: servicePath + "/" + escaped})
}

// passOn carries a request to the framework, or to the leader, which knows where that is.
func (m *Master) passOn(w http.ResponseWriter, req *http.Request, who caller, p passage) {
	if n := strings.Count(strings.Join(req.Header.Values("Via"), ","), via); n >= maxVia {
		refuseJSON(w, sdk.Errorf(sdk.CodeInvalid, "Via", "the request has passed gateways %d times; it goes round in a circle", n))
		return
	}
	if m.leader() == nil && m.passToLeader(w, req, p) {
		return
	}
	l := m.leader()
	if l == nil {
		refuseJSON(w, notLeading())
		return
	}
	if err := m.living(req.Context(), who); err != nil {
		refuseJSON(w, err)
		return
	}
	d, err := l.doors.find(p.name)
	if sdk.CodeOf(err) == sdk.CodeNotFound {
		if to, why := m.expects(p.name); to {
			err = sdk.Errorf(sdk.CodeUnavailable, "", "the framework %q has not subscribed yet", p.name)
		} else {
			err = sdk.Errorf(sdk.CodeNotFound, "", "no framework is called %q here, and %s; `proffer framework list` lists those that are", cut(p.name), why)
		}
	}
	if err != nil {
		refuseJSON(w, err)
		return
	}
	target, err := url.Parse(d.webui)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		refuseJSON(w, sdk.Errorf(sdk.CodeUnavailable, "", "the framework %q tells %q as its address, which is none", p.name, cut(d.webui)))
		return
	}
	m.proxy(w, req, p, func(r *httputil.ProxyRequest) {
		out := r.Out
		foreign(out.Header)
		base := strings.TrimSuffix(target.EscapedPath(), "/")
		aim(out.URL, target, base+p.rest, r.In.URL.RawQuery)
		out.Host = target.Host
		r.SetXForwarded()
		if m.opts.Insecure {
			return
		}
		caller, signature := gateway.Sign(m.key.GatewayKey(d.principal), gateway.Statement{
			Audience: d.principal, Principal: who.Principal, Operator: who.mind().Operator, Time: time.Now().Unix()}, out.Method, out.URL.RequestURI())
		out.Header.Set(gateway.HeaderCaller, caller)
		out.Header.Set(gateway.HeaderSignature, signature)
	})
}

// expects tells whether a framework of that name is to come: its port is published, or
// the boot starts it, by itself or as an app. For a client that is a service which is not up
// yet. If not, it tells why nobody is waited for.
func (m *Master) expects(name string) (to bool, why string) {
	manifest, _ := m.currentManifest()
	switch {
	case slices.Contains(m.opts.published(), name):
		return true, ""
	case manifest == nil:
		return false, "this cluster has no boot manifest that could start one"
	case boot.Starts(manifest, name):
		return true, ""
	}
	return false, "the boot manifest (`proffer boot get`) starts none"
}

// aim points u at an escaped path of target.
func aim(u, target *url.URL, escaped, query string) {
	u.Scheme, u.Host, u.RawQuery = target.Scheme, target.Host, query
	u.Path, u.RawPath = escaped, escaped
	if plain, err := url.PathUnescape(escaped); err == nil {
		u.Path = plain
	}
}

// foreign takes out what must not reach a framework: the caller's credential, and
// whatever could be taken for a word of the gateway. Some languages read _ in a header's
// name as -.
func foreign(h http.Header) {
	for name := range h {
		plain := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		if plain == "authorization" || strings.HasPrefix(plain, "proffer-") {
			delete(h, name)
		}
	}
}

// proxy passes one request on and its answer back, both as they come. A framework that says
// nothing for GatewayTimeout is waited for no longer, be it before its answer or inside it;
// of what comes through the leader, that one takes care, and carry of the leader.
func (m *Master) proxy(w http.ResponseWriter, req *http.Request, p passage, rewrite func(*httputil.ProxyRequest)) {
	out := newPacedWriter(w, m.opts.WriteTimeout)
	defer out.extend()
	ctx, end := context.WithCancelCause(req.Context())
	defer end(nil)
	transport := m.gateway
	if p.leader {
		transport = m.peers
	}
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = &pacedBody{ReadCloser: http.MaxBytesReader(w, req.Body, m.opts.MaxBody), rc: out.rc, limit: m.opts.ReadTimeout}
	}
	rp := httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.Header["Via"] = append(r.In.Header.Values("Via"), via)
			rewrite(r)
		},
		ModifyResponse: func(resp *http.Response) error {
			relocate(resp, p.prefix)
			resp.Header.Del(masters.HeaderMasters) // a framework may not name them
			if !p.leader && !endless(resp) {
				resp.Body = &quietBody{ReadCloser: resp.Body, limit: m.opts.GatewayTimeout, end: func(err error) {
					m.opts.Log.Warn("a framework went silent inside an answer, which is broken off", "framework", p.name, "for", m.opts.GatewayTimeout)
					end(err)
				}}
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, out *http.Request, err error) {
			var large *http.MaxBytesError
			var late net.Error
			var dial *net.OpError
			switch {
			case errors.As(err, &large):
				refuseJSON(w, tooLarge(m.opts.MaxBody))
			case out.Context().Err() != nil && !errors.Is(context.Cause(out.Context()), anotherLeads{}): // the caller is gone
			case p.leader:
				refuseJSON(w, unanswered(out, err))
			case errors.As(err, &late) && late.Timeout() && !errors.As(err, &dial):
				answerJSON(w, http.StatusGatewayTimeout, fmt.Sprintf("the framework %s does not answer: it has the request, and said nothing for %v; what was asked of it may still be done", p.name, m.opts.GatewayTimeout))
			default:
				answerJSON(w, http.StatusBadGateway, "the framework "+p.name+" does not answer: "+err.Error())
			}
		},
		ErrorLog: slog.NewLogLogger(m.opts.Log.With("part", "gateway").Handler(), slog.LevelDebug),
	}
	rp.ServeHTTP(out, req.WithContext(ctx))
}

// endless tells whether an answer is a stream, or a connection of its own: either may be
// silent for as long as there is nothing to tell.
func endless(resp *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return resp.StatusCode == http.StatusSwitchingProtocols || strings.HasPrefix(kind, "application/grpc") ||
		slices.Contains([]string{"text/event-stream", "multipart/x-mixed-replace", "application/x-ndjson", "application/json-seq", wire.ContentTypeRecordIO}, kind)
}

// relocate has a redirect of the framework to a path of its own lead through the gateway.
func relocate(resp *http.Response, prefix string) {
	u, err := url.Parse(resp.Header.Get("Location"))
	if prefix == "" || err != nil || !strings.HasPrefix(u.Path, "/") || (u.Host != "" && u.Host != resp.Request.URL.Host) {
		return
	}
	u.Scheme, u.Host = "", ""
	resp.Header.Set("Location", prefix+u.String())
}

// living checks, for a framework's token, that its task lives; only the loop knows.
func (m *Master) living(ctx context.Context, who caller) error {
	t := who.token()
	if t == nil {
		return nil
	}
	l := m.leader()
	if l == nil {
		return notLeading()
	}
	x := newExchange(1)
	if !l.inbox.put(item{request: m.requests.Add(1), asks: x, token: t}) {
		return notLeading()
	}
	select {
	case <-x.done:
	case <-ctx.Done():
		return sdk.Errorf(sdk.CodeUnavailable, "", "the caller is gone")
	}
	if x.err != nil {
		return x.err
	}
	return nil
}

// serveGatewayKey tells a framework the key that its callers are signed with.
func (m *Master) serveGatewayKey(w http.ResponseWriter, req *http.Request, who caller) {
	audience := req.URL.Query().Get("audience")
	own := who.Kind == credential.KindFramework
	if audience == "" && own {
		audience = who.Principal
	}
	switch {
	case m.opts.Insecure:
	case audience == "":
		refuse(w, req, sdk.Errorf(sdk.CodeInvalid, "audience", "must name the principal of the framework that wants to check its callers"))
		return
	case own && audience != who.Principal:
		refuse(w, req, sdk.Errorf(sdk.CodeDenied, "audience", "the token is of the principal %q, whose key is all that it gets", who.Principal))
		return
	}
	if err := m.living(req.Context(), who); err != nil {
		refuse(w, req, err)
		return
	}
	answer := gateway.Key{Audience: audience, Insecure: m.opts.Insecure}
	if !m.opts.Insecure {
		answer.Key = base64.RawURLEncoding.EncodeToString(m.key.GatewayKey(audience))
	}
	body, err := json.Marshal(answer)
	if err != nil {
		refuse(w, req, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	write(w, http.StatusOK, "application/json", body)
}

// refuseJSON answers an error as Marathon's clients read one.
func refuseJSON(w http.ResponseWriter, err error) {
	status := sdk.CodeOf(err).HTTPStatus()
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	answerJSON(w, status, asError(err).Error())
}

func answerJSON(w http.ResponseWriter, status int, message string) {
	body, _ := json.Marshal(struct { // a string always encodes
		Message string `json:"message"`
	}{message})
	w.Header().Set("X-Content-Type-Options", "nosniff")
	write(w, status, "application/json", body)
}

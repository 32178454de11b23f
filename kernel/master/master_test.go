package master

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// running is a whole master of its own on free ports.
type running struct {
	*Master
	t   *testing.T
	key credential.Key
}

// start runs a master that leads until the end of the test; secure gives it a key.
func start(t *testing.T, secure bool, change ...func(*Options)) *running {
	t.Helper()
	r := launch(t, secure, change...)
	r.await(func() bool { return r.leader() != nil }, "a leader")
	return r
}

func launch(t *testing.T, secure bool, change ...func(*Options)) *running {
	t.Helper()
	r := &running{t: t}
	o := LocalOptions(filepath.Join(t.TempDir(), "master"))
	o.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	if secure {
		o.KeyFile, o.Insecure = filepath.Join(t.TempDir(), "key"), false
		key, err := credential.CreateKeyFile(o.KeyFile)
		if err != nil {
			t.Fatal(err)
		}
		r.key = key
	}
	for _, c := range change {
		c(&o)
	}
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Master = m
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-over:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Run did not end")
		}
	})
	return r
}

// await polls, because what it waits for is another process's view in real use.
func (r *running) await(done func() bool, what string) {
	r.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(10 * time.Second); !done(); {
		select {
		case <-tick.C:
		case <-deadline:
			r.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (r *running) operatorToken() string {
	return r.key.Sign(credential.Claims{Kind: credential.KindOperator, Principal: "operator"})
}

// do sends a request and reads the whole answer.
func (r *running) do(method, path string, header http.Header, body string) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://"+r.Addr()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
		if k == "Host" {
			req.Host = v[0]
		}
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 10 * time.Second}
	resp, err := c.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp, string(data)
}

func jsonHeader(more ...string) http.Header {
	h := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	for i := 0; i+1 < len(more); i += 2 {
		h[more[i]] = []string{more[i+1]}
	}
	return h
}

// opened is a stream as a client sees it.
type opened struct {
	t       *testing.T
	resp    *http.Response
	records *wire.Reader
	cancel  context.CancelFunc
}

// open POSTs a call whose answer is a stream.
func (r *running) open(path string, header http.Header, body []byte) *opened {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.Addr()+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		cancel()
		r.t.Fatal(err)
	}
	o := &opened{t: r.t, resp: resp, records: wire.NewReader(bufio.NewReader(resp.Body), 64<<20), cancel: cancel}
	r.t.Cleanup(o.close)
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		r.t.Fatalf("%s answered %d: %s", path, resp.StatusCode, text)
	}
	return o
}

func (o *opened) close() {
	o.cancel()
	_ = o.resp.Body.Close()
}

// next reads the next event of a scheduler's stream.
func (o *opened) next() *sdk.Event {
	o.t.Helper()
	record, err := o.records.Next()
	if err != nil {
		o.t.Fatalf("stream: %v", err)
	}
	e, err := wire.ParseContentType(o.resp.Header.Get("Content-Type"))
	if err != nil {
		o.t.Fatal(err)
	}
	ev := &sdk.Event{}
	if err := wire.Unmarshal(e, record, ev); err != nil {
		o.t.Fatalf("%s: %v", record, err)
	}
	return ev
}

// A master that is alone leads by itself, at the default pace too. How soon is measured by
// proffer-bench.
func TestBootsAtTheDefaultPace(t *testing.T) {
	r := start(t, false, func(o *Options) { o.Solo = DefaultOptions().Solo })
	if l := r.leader(); l == nil || l.term.Number == 0 {
		t.Errorf("nobody leads: %+v", l)
	}
}

func TestSubscribeAnswersAStream(t *testing.T) {
	r := start(t, false)
	for _, e := range []wire.Encoding{wire.JSON, wire.Msgpack, wire.Protobuf} {
		t.Run(e.String(), func(t *testing.T) {
			body, err := wire.Marshal(e, &sdk.Call{Type: sdk.CallSubscribe, Subscribe: &sdk.Subscribe{FrameworkInfo: sdk.FrameworkInfo{User: "nobody", Name: "test"}}})
			if err != nil {
				t.Fatal(err)
			}
			s := r.open("/api/v1/scheduler", http.Header{"Content-Type": {e.ContentType()}, "Accept": {e.ContentType()}}, body)
			if got := s.resp.Header.Get("Content-Type"); got != e.ContentType() {
				t.Errorf("Content-Type %q", got)
			}
			if s.resp.Header.Get("Mesos-Stream-Id") == "" || len(s.resp.TransferEncoding) != 1 {
				t.Errorf("headers %v, transfer %v", s.resp.Header, s.resp.TransferEncoding)
			}
			ev := s.next()
			if ev.Type != sdk.EventSubscribed || ev.Subscribed.FrameworkID == "" || ev.Subscribed.HeartbeatIntervalSeconds != 15 || ev.Subscribed.MasterInfo.Port == 0 {
				t.Fatalf("first event %+v", ev)
			}
			if hb := s.next(); hb.Type != sdk.EventHeartbeat {
				t.Errorf("second event %+v", hb)
			}
			// A call on another connection, then the end of the framework and of its stream.
			h := http.Header{"Content-Type": {e.ContentType()}, "Mesos-Stream-Id": {s.resp.Header.Get("Mesos-Stream-Id")}}
			call := func(c sdk.Call) (*http.Response, string) {
				c.FrameworkID = ev.Subscribed.FrameworkID
				body, err := wire.Marshal(e, &c)
				if err != nil {
					t.Fatal(err)
				}
				return r.do(http.MethodPost, "/master/api/v1/scheduler", h, string(body))
			}
			resp, text := call(sdk.Call{Type: sdk.CallRevive})
			if resp.StatusCode != 202 || text != "" || resp.Header.Get("Content-Length") != "0" || resp.Header.Get("Content-Type") != "" {
				t.Errorf("REVIVE: %d %q %v", resp.StatusCode, text, resp.Header)
			}
			if resp, text := call(sdk.Call{Type: sdk.CallTeardown}); resp.StatusCode != 202 {
				t.Errorf("TEARDOWN: %d %q", resp.StatusCode, text)
			}
			if _, err := s.records.Next(); err != io.EOF {
				t.Errorf("after TEARDOWN the stream gave %v", err)
			}
		})
	}
}

func TestASecondMasterOnTheSameDirectoryIsRefused(t *testing.T) {
	r := start(t, false)
	o := LocalOptions(r.opts.Dir)
	_, err := New(o)
	if err == nil || !strings.Contains(err.Error(), "in use by another master") {
		t.Fatalf("got %v", err)
	}
}

// session runs a master on that directory while f lasts.
func session(t *testing.T, dir string, f func(*running)) {
	t.Helper()
	m, err := New(LocalOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- m.Run(ctx) }()
	r := &running{Master: m, t: t}
	r.await(func() bool { return m.leader() != nil }, "a leader")
	f(r)
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
}

func TestRestartKeepsNameClusterAndFrameworks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "m")
	run := func() (name, id string) {
		session(t, dir, func(r *running) { name, id = r.name, r.leader().info.ID })
		return name, id
	}
	name1, id1 := run()
	name2, id2 := run()
	cut := func(id string) string { return strings.SplitN(id, "-", 2)[0] }
	if name1 != name2 || cut(id1) != cut(id2) || id1 == id2 {
		t.Errorf("names %s %s, ids %s %s", name1, name2, id1, id2)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

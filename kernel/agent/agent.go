package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/isolator/cgroup"
	"github.com/profferhq/proffer/kernel/agent/isolator/posix"
	"github.com/profferhq/proffer/kernel/agent/isolator/sandbox"
	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/kernel/agent/users"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/masters"
)

// Agent is one agent. New makes it, Run runs it once.
type Agent struct {
	o    Options
	log  *slog.Logger
	key  credential.Key // zero with --insecure
	addr string         // host:port, as others reach it
	ip   string
	root bool
	boot string

	tcp, unix net.Listener
	server    *http.Server

	layout  sandbox.Layout
	dirs    *sandbox.Isolator
	groups  *cgroup.Isolator // nil in plain-process mode
	chain   isolator.Chain   // everything but dirs
	report  cgroup.Report
	policy  users.Policy
	names   users.Names
	uids    *users.Pool
	masters *masters.Client

	ledger  *ledger.Ledger // the loop's
	journal *journal       // the loop's
	inbox   *inbox
	asks    chan func(*ledger.Ledger)
	loopEnd chan struct{} // closed when the loop has ended

	link      *linkClient
	prepares  *pool         // of tasks
	starts    *pool         // of executors
	ahead     chan struct{} // has one token per task that is prepared and not started
	destroys  *pool
	boxes     boxes
	executors connections
	bodies    sync.Pool // of *bytes.Buffer, for what executors send
	watch     *watcher
	metrics   *metrics
	renewals  renewals
	ended     *ends

	recovered atomic.Bool // executors may subscribe
	agentID   atomic.Pointer[sdk.AgentID]
	total     atomic.Pointer[sdk.Resources]

	launcherMu sync.Mutex
	launcher   *executor.Launcher // nil while there is none
	closing    atomic.Bool        // the launcher was told to end
	fatal      chan error
}

// New checks the options, opens the work directory, and binds. Nothing is served
// before Run. The error lists every problem of the options.
func New(o Options) (*Agent, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	a := &Agent{
		o: o, log: o.Log.With("component", "agent"), root: os.Geteuid() == 0,
		layout: sandbox.Layout{WorkDir: o.Dir}, inbox: newInbox(), asks: make(chan func(*ledger.Ledger)),
		loopEnd: make(chan struct{}), prepares: newPool(o.Launches), starts: newPool(o.Launches), ahead: make(chan struct{}, 4*o.Launches), destroys: newPool(max(32, 4*o.Launches)),
		fatal: make(chan error, 1),
	}
	if !o.Insecure {
		key, err := credential.ReadKeyFile(o.KeyFile)
		if err != nil {
			return nil, err
		}
		a.key = key
	}
	if err := a.openDir(); err != nil {
		return nil, err
	}
	if err := a.bind(); err != nil {
		return nil, err
	}
	if err := a.assemble(); err != nil {
		return nil, errors.Join(err, a.unbind())
	}
	return a, nil
}

// Addr is the address that HTTP is served at.
func (a *Agent) Addr() net.Addr { return a.tcp.Addr() }

// now is the time that is written down and told.
func (a *Agent) now() time.Time { return time.Now().Add(a.o.ClockOffset) }

// openDir makes the directories and reads the checkpoint.
func (a *Agent) openDir() error {
	if err := os.MkdirAll(a.o.Dir, 0o755); err != nil {
		return fmt.Errorf("make the work directory: %w", err)
	}
	var err error
	if a.dirs, err = sandbox.New(a.layout); err != nil {
		return err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return fmt.Errorf("read the machine's boot id: %w", err)
	}
	a.boot = trim(boot)
	return nil
}

// bind opens both listeners. The socket's directory can be walked by all, so the
// socket itself is the agent's user's alone: it stands for the default executor.
func (a *Agent) bind() error {
	var err error
	if a.tcp, err = net.Listen("tcp", net.JoinHostPort(a.o.Bind, fmt.Sprint(a.o.Port))); err != nil {
		return fmt.Errorf("listen for HTTP: %w", err)
	}
	path := a.socket()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return errors.Join(err, a.tcp.Close())
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return errors.Join(fmt.Errorf("listen for executors (a path of more than 107 bytes is too long for a socket): %w", err), a.tcp.Close())
	}
	a.unix = l
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(err, a.unbind())
	}
	a.addr = a.o.Advertised(a.tcp.Addr().(*net.TCPAddr).Port)
	host, _, _ := net.SplitHostPort(a.addr)
	a.ip = host
	return nil
}

func (a *Agent) socket() string { return filepath.Join(a.layout.Runtime(), "agent.sock") }

func (a *Agent) unbind() error { return errors.Join(a.tcp.Close(), a.unix.Close()) }

// assemble makes the parts and recovers the ledger's records.
func (a *Agent) assemble() error {
	grants, err := a.o.grants()
	if err != nil {
		return err
	}
	a.policy = users.Policy{TaskUser: a.o.TaskUser, Grants: grants, FirstUID: a.o.FirstUID, LastUID: a.o.LastUID, Root: a.root}
	a.uids = users.NewPool(a.o.FirstUID, a.o.LastUID)
	a.openIsolators()
	token := ""
	if !a.o.Insecure {
		token = a.key.Sign(credential.Claims{Kind: credential.KindAgent, Principal: "agent", Issued: time.Now().Unix()})
	}
	if a.masters, err = masters.New(masters.Options{Addrs: a.o.Masters, Token: token, Transport: masters.NewTransport()}); err != nil {
		return err
	}
	a.boxes.init()
	a.executors.init()
	a.bodies.New = func() any { return new(bytes.Buffer) }
	if a.ended, err = newEnds(a); err != nil {
		return err
	}
	o := ledger.DefaultOptions()
	o.Seed, o.IP, o.IdleExecutor, o.KillGrace = newSeed(), a.ip, a.o.IdleExecutor, a.o.KillGrace
	o.Agent = sdk.AgentInfo{Hostname: a.o.Hostname, Port: int32(a.tcp.Addr().(*net.TCPAddr).Port)}
	a.ledger = ledger.New(o)
	if a.journal, err = openJournal(a.o.Dir, a.log, a.ledger); err != nil {
		return err
	}
	a.noteAgent()
	a.link = newLinkClient(a)
	a.metrics = newMetrics(a)
	a.server = &http.Server{Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second,
		ConnContext: markUnix, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)}
	return a.checkReach()
}

// newSeed makes what tells this start's ids from all others.
func newSeed() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return hex.EncodeToString(b[:])
}

// checkReach makes sure at start that tasks can reach what they need.
func (a *Agent) checkReach() error {
	id, known, err := a.names.Lookup(a.o.TaskUser)
	if err != nil {
		return err
	}
	if !a.root {
		return nil
	}
	if !known {
		return sdk.Errorf(sdk.CodeInvalid, "task-user", "this machine does not know the user %q; name another with --task-user", a.o.TaskUser)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := users.CheckReach(a.layout.Sandboxes(), id); err != nil {
		return err
	}
	if err := users.CheckReach(self, id); err != nil {
		// Only tasks that are frameworks of ours run this very program.
		a.log.Warn("tasks cannot run this program; frameworks of the boot manifest will not start", "why", err)
	}
	return nil
}

// openIsolators takes what this machine gives, and says loudly what it does not.
func (a *Agent) openIsolators() {
	if a.o.NoCgroups {
		a.log.Warn("plain processes: told not to use control groups; tasks are not limited, and a task's stray processes cannot be found")
	} else {
		o := cgroup.DefaultOptions()
		o.Parent, o.PidsDefault = a.o.parent(), a.o.PidsDefault
		iso, report, err := cgroup.Open(o)
		a.report = report
		if err != nil {
			a.log.Warn("plain processes: tasks are not limited, and a task's stray processes cannot be found", "why", err)
		} else {
			a.groups = iso
			a.chain = append(a.chain, iso)
		}
		for _, m := range report.Missing {
			a.log.Warn("isolator missing", "isolator", m.Name, "why", m.Why)
		}
	}
	a.chain = append(a.chain, posix.Limits{})
	if a.groups == nil {
		a.chain = append(a.chain, &posix.Processes{})
	}
	if !a.root {
		a.log.Warn("isolator missing", "isolator", "users", "why", "the agent is not root: every task runs as the agent's own user")
	}
}

// ask runs f in the loop and waits for it; false when the loop has ended.
func (a *Agent) ask(ctx context.Context, f func(*ledger.Ledger)) bool {
	done := make(chan struct{})
	select {
	case a.asks <- func(l *ledger.Ledger) { f(l); close(done) }:
	case <-ctx.Done():
		return false
	case <-a.loopEnd:
		return false
	}
	<-done
	return true
}

func trim(b []byte) string {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == ' ') {
		b = b[:len(b)-1]
	}
	return string(b)
}

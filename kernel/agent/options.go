package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/profferhq/proffer/kernel/agent/fetch"
	"github.com/profferhq/proffer/kernel/agent/users"
	"github.com/profferhq/proffer/sdk"
)

// Options are everything an operator can say to an agent.
type Options struct {
	Dir       string // work directory: checkpoint, sandboxes, logs, sockets
	Bind      string // address to listen at
	Port      int    // 0: any free one
	Hostname  string // name in offers; empty: the machine's
	Advertise string // host:port or host under which others reach this agent; empty: from Bind, or the machine's address
	Masters   []string
	// LinkTimeout is how long the answer to a registration is waited for, before another
	// master is tried; LinkPause is the longest pause between two tries.
	LinkTimeout, LinkPause time.Duration
	Cluster                string // name of the cluster; masters of another are not obeyed. Empty: of whichever
	KeyFile                string // cluster key
	Insecure               bool   // no credentials at all

	Resources  string // what is offered, as text; empty: detected
	Overhead   string // what was kept of the machine before Resources; only told
	Attributes string

	TaskUser   string   // user of tasks that name none
	AllowUsers []string // PRINCIPAL:USER
	FirstUID   uint32   // uids of tasks that carry a token
	LastUID    uint32

	Binary         string   // the program that tasks with credentials find as PROFFER_BINARY; empty: this one
	ExecutorBinary string   // proffer-executor; empty: beside this program
	FetchCommand   []string // how the fetcher is started; empty: this program with "agent-fetch"
	AllowFile      bool     // file: URIs
	Fetch          fetch.Limits

	CgroupParent    string // empty: proffer- and a hash of Dir
	NoCgroups       bool   // plain processes although groups could be used
	PidsDefault     uint64 // threads of a container that names no "pids"
	LogBytes        int64  // size of one log file
	LogFiles        int    // files kept per stream
	KillGrace       time.Duration
	IdleExecutor    time.Duration
	SandboxKeep     time.Duration
	SandboxFull     float64 // part of the disk in use above which sandboxes go sooner
	SampleEvery     time.Duration
	Launches        int // containers prepared at once
	KillTasksOnStop bool
	StopTimeout     time.Duration // for KillTasksOnStop

	ClockOffset time.Duration // added to the machine's clock; for tests of wrong clocks

	Software string // version, for people
	Log      *slog.Logger
}

// DefaultOptions are those of the README's table. Dir and Masters are the caller's.
func DefaultOptions() Options {
	return Options{
		Bind:         "127.0.0.1",
		Port:         5051,
		LinkTimeout:  15 * time.Second,
		LinkPause:    5 * time.Second,
		TaskUser:     "nobody",
		FirstUID:     770_000,
		LastUID:      779_999,
		AllowFile:    true,
		Fetch:        fetch.DefaultLimits(),
		PidsDefault:  1024,
		LogBytes:     10 << 20,
		LogFiles:     3,
		KillGrace:    5 * time.Second,
		IdleExecutor: 30 * time.Second,
		SandboxKeep:  24 * time.Hour,
		SandboxFull:  0.9,
		SampleEvery:  10 * time.Second,
		Launches:     8,
		StopTimeout:  20 * time.Second,
		Software:     "dev",
		Log:          slog.New(slog.DiscardHandler),
	}
}

// Validate lists every problem of the options, and fills in what follows from the
// machine.
func (o *Options) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, sdk.Errorf(sdk.CodeInvalid, field, format, args...))
	}
	if o.Dir == "" {
		bad("dir", "must not be empty: the agent keeps its state there")
	} else if dir, err := filepath.Abs(o.Dir); err != nil {
		bad("dir", "%v", err)
	} else {
		o.Dir = dir
	}
	if len(o.Masters) == 0 {
		bad("masters", "must name at least one master, such as 127.0.0.1:5050")
	}
	if o.Port < 0 || o.Port > 65535 {
		bad("port", "is %d, must be between 0 and 65535", o.Port)
	}
	if net.ParseIP(o.Bind) == nil {
		bad("bind", "%q is not an IP address", o.Bind)
	}
	if o.KeyFile == "" && !o.Insecure {
		bad("key", "must name the cluster's key file, or say --insecure")
	}
	if err := sdk.ValidateText("cluster", o.Cluster); err != nil {
		errs = append(errs, err)
	}
	if err := sdk.ValidateText("hostname", o.Hostname); err != nil {
		errs = append(errs, err)
	}
	if _, err := sdk.ParseResources(o.Resources); err != nil {
		bad("resources", "%v", err)
	}
	if _, err := sdk.ParseResources(o.Overhead); err != nil {
		bad("overhead", "%v", err)
	}
	if _, err := sdk.ParseAttributes(o.Attributes); err != nil {
		bad("attributes", "%v", err)
	}
	if _, err := o.grants(); err != nil {
		errs = append(errs, err)
	}
	if o.LastUID < o.FirstUID {
		bad("last-uid", "is %d, before --first-uid %d", o.LastUID, o.FirstUID)
	}
	if _, known, err := new(users.Names).Lookup(o.TaskUser); err != nil {
		bad("task-user", "%v", err)
	} else if !known {
		bad("task-user", "this machine knows no user %q", o.TaskUser)
	}
	if o.PidsDefault == 0 {
		bad("pids", "is 0, must be at least 1")
	}
	errs = append(errs, o.checkTimes()...)
	if o.Launches < 1 {
		bad("launches", "is %d, must be at least 1", o.Launches)
	}
	if o.LogBytes < 4096 || o.LogFiles < 1 {
		bad("log-bytes", "a stream needs at least one file of 4096 bytes, not %d of %d", o.LogFiles, o.LogBytes)
	}
	if o.SandboxFull <= 0 || o.SandboxFull > 1 {
		bad("disk-pressure", "is %v, must be above 0 and at most 1", o.SandboxFull)
	}
	if o.Hostname == "" {
		o.Hostname, _ = os.Hostname()
	}
	if err := o.findBinaries(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// checkTimes looks at the durations; zero is a good one where it means "at once".
func (o *Options) checkTimes() []error {
	var errs []error
	for _, d := range []struct {
		flag  string
		value time.Duration
		zero  bool // may be zero
	}{
		{"kill-grace", o.KillGrace, true}, {"sandbox-keep", o.SandboxKeep, true}, {"idle-executor", o.IdleExecutor, true},
		{"sample-every", o.SampleEvery, false}, {"stop-timeout", o.StopTimeout, false},
		{"link-timeout", o.LinkTimeout, false}, {"link-pause", o.LinkPause, false},
	} {
		if d.value < 0 || d.value == 0 && !d.zero {
			least := "above zero"
			if d.zero {
				least = "zero or more"
			}
			errs = append(errs, sdk.Errorf(sdk.CodeInvalid, d.flag, "is %s, must be %s", d.value, least))
		}
	}
	return errs
}

func (o *Options) findBinaries() error {
	self, err := os.Executable()
	if err != nil {
		return sdk.Errorf(sdk.CodeInternal, "executor", "this program does not know its own place: %v", err)
	}
	if o.ExecutorBinary == "" {
		o.ExecutorBinary = filepath.Join(filepath.Dir(self), "proffer-executor")
	}
	if st, err := os.Stat(o.ExecutorBinary); err != nil || st.IsDir() {
		return sdk.Errorf(sdk.CodeInvalid, "executor", "there is no program %s; it belongs beside proffer, or name it with --executor", o.ExecutorBinary)
	}
	if o.Binary == "" {
		o.Binary = self
	}
	if len(o.FetchCommand) == 0 {
		o.FetchCommand = []string{self, "agent-fetch"}
	}
	return nil
}

// grants reads AllowUsers as a master does: no user's name has a colon, a principal's
// may, and "*" stands for everybody or for any user.
func (o *Options) grants() ([]users.Grant, error) {
	var out []users.Grant
	for _, a := range o.AllowUsers {
		p, u, ok := cutLast(a, ':')
		if !ok || p == "" || u == "" {
			return nil, sdk.Errorf(sdk.CodeInvalid, "allow-user", "%q is not PRINCIPAL:USER", a)
		}
		out = append(out, users.Grant{Principal: p, User: u})
	}
	return out, nil
}

func cutLast(s string, sep byte) (string, string, bool) {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == sep {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// parent is the name of this agent's groups: two agents on a machine never share.
func (o *Options) parent() string {
	if o.CgroupParent != "" {
		return o.CgroupParent
	}
	sum := sha256.Sum256([]byte(o.Dir))
	return "proffer-" + hex.EncodeToString(sum[:6])
}

// Advertised is the address for others, given the port that was bound.
func (o *Options) Advertised(port int) string {
	host := o.Advertise
	if h, p, err := net.SplitHostPort(o.Advertise); err == nil {
		return net.JoinHostPort(h, p)
	}
	if host == "" {
		host = o.Bind
		if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
			host = o.Hostname
		}
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

package store

import (
	"net/http"
	"os"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

// Options say which space of which cluster to open, and as whom.
type Options struct {
	// Addrs are the masters, "host:port" each; one that lives is enough.
	Addrs []string
	// Token authenticates; TokenFile holds it instead and is read anew for every
	// request.
	Token     string
	TokenFile string
	// Space is the name of the space.
	Space string
	// Principal names whose space it is; empty for the token's own principal.
	// Only operators may name another.
	Principal string
	// FrameworkID and TaskID name the task that leases end with. A task's own token
	// says that by itself; they are for operators and for clusters without
	// credentials.
	FrameworkID sdk.FrameworkID
	TaskID      sdk.TaskID
	// Encoding of calls and answers: msgpack unless set.
	Encoding wire.Encoding
	// Patience is how long a call waits for a leading master before it fails with
	// sdk.CodeUnavailable; 0 for not at all. Only what was certainly not done is
	// tried again.
	Patience time.Duration
	// Transport carries the requests; nil for one of the client's own.
	Transport http.RoundTripper
}

// defaultPatience is a few times what an election takes.
const defaultPatience = 5 * time.Second

// FromEnv are the options for a space of that name of the task's own principal,
// from PROFFER_ADDR (comma separated), PROFFER_TOKEN_FILE and PROFFER_TOKEN, with
// a patience of five seconds. Without a token leases are bound to the task that
// MESOS_FRAMEWORK_ID and MESOS_TASK_ID name.
func FromEnv(space string) Options {
	env := masters.FromEnv()
	o := Options{Addrs: env.Addrs, Token: env.Token, TokenFile: env.TokenFile, Space: space, Patience: defaultPatience}
	if o.Token == "" && o.TokenFile == "" {
		o.FrameworkID, o.TaskID = sdk.FrameworkID(os.Getenv("MESOS_FRAMEWORK_ID")), sdk.TaskID(os.Getenv("MESOS_TASK_ID"))
	}
	return o
}

// Space is one key-value space.
type Space struct {
	opts    Options
	masters *masters.Client
}

// Open makes a client for a space. It refuses an empty or malformed list of
// addresses, or a space without a name, and does not connect yet.
func Open(o Options) (*Space, error) {
	if o.Space == "" {
		return nil, sdk.Errorf(sdk.CodeInvalid, "space", "a space needs a name")
	}
	m, err := masters.New(masters.Options{Addrs: o.Addrs, Token: o.Token, TokenFile: o.TokenFile, Transport: o.Transport})
	if err != nil {
		return nil, err
	}
	return &Space{opts: o, masters: m}, nil
}

// Close closes idle connections.
func (s *Space) Close() { s.masters.CloseIdle() }

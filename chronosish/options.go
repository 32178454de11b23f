package chronosish

import (
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/profferhq/proffer/chronosish/api"
	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
)

// Options are chronosish's settings.
type Options struct {
	// Addrs are the masters; Token authenticates, TokenFile holds it instead. What is
	// empty is taken from the environment of a task (see masters.FromEnv).
	Addrs            []string
	Token, TokenFile string
	// Principal is whose token that is: the gateway signs for it.
	Principal string
	// Name is the framework's; the gateway finds it by this.
	Name string
	// Bind is the address that the API listens on and that the gateway reaches; empty
	// for that of the agent, which the variable HOST tells. Port 0 is one that the system
	// gives.
	Bind string
	Port int
	// Space is the name of its space in the store.
	Space string
	// Role it takes offers for, and runs jobs in.
	Role string
	// FailoverTimeout is how long the kernel keeps the tasks while no chronosish is
	// there.
	FailoverTimeout time.Duration
	// LeaseTTL is how long its leadership outlives a chronosish that nobody knows to
	// be dead.
	LeaseTTL time.Duration

	Version string // of Proffer
	API     api.Options
	Book    book.Options
	// Transport carries the requests to the masters; nil for clients' own.
	Transport http.RoundTripper
	Log       *slog.Logger
}

// DefaultOptions are those of a chronosish that marathonish has started.
func DefaultOptions() Options {
	return Options{
		Principal: "chronosish", Name: "chronosish", Space: "chronosish", Role: sdk.DefaultRole,
		FailoverTimeout: 7 * 24 * time.Hour, LeaseTTL: 10 * time.Second,
		API: api.DefaultOptions(),
	}
}

// FillIn takes from the environment what is not set.
func (o *Options) FillIn() {
	env := masters.FromEnv()
	if len(o.Addrs) == 0 {
		o.Addrs = env.Addrs
	}
	if o.Token == "" && o.TokenFile == "" {
		o.Token, o.TokenFile = env.Token, env.TokenFile
	}
	for _, from := range []string{os.Getenv("HOST"), "127.0.0.1"} {
		if o.Bind == "" {
			o.Bind = from
		}
	}
}

// Validate refuses settings that cannot work, by their names.
func (o *Options) Validate() error {
	switch {
	case o.Name == "":
		return sdk.Errorf(sdk.CodeInvalid, "name", "must not be empty")
	case o.Principal == "":
		return sdk.Errorf(sdk.CodeInvalid, "principal", "must not be empty")
	case o.Space == "":
		return sdk.Errorf(sdk.CodeInvalid, "space", "must not be empty")
	case o.Role == "":
		return sdk.Errorf(sdk.CodeInvalid, "role", "must not be empty; the default is *")
	case o.Port < 0 || o.Port > 65535:
		return sdk.Errorf(sdk.CodeInvalid, "port", "%d is no port", o.Port)
	case o.LeaseTTL < time.Second:
		return sdk.Errorf(sdk.CodeInvalid, "lease-ttl", "%v is less than a second", o.LeaseTTL)
	case o.FailoverTimeout <= 0:
		return sdk.Errorf(sdk.CodeInvalid, "failover-timeout", "must be positive, or the kernel ends all tasks when chronosish blinks")
	}
	return nil
}

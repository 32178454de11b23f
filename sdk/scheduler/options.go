package scheduler

import (
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/store"
)

// Options are the settings that every scheduler has. Begin with DefaultOptions.
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
	// Roles it takes offers for.
	Roles []string
	// FailoverTimeout is how long the kernel keeps the tasks while no scheduler is there.
	FailoverTimeout time.Duration
	// LeaseTTL is how long its leadership outlives a scheduler that nobody knows to be
	// dead; at least a second.
	LeaseTTL time.Duration
	// Transport carries the requests to the masters; nil for clients' own.
	Transport http.RoundTripper
	// Log gets what an operator should know; nil for none.
	Log *slog.Logger
}

// DefaultOptions are those of a framework of that name, whose principal and space have
// the same name, in the role "*".
func DefaultOptions(name string) Options {
	return Options{
		Principal: name, Name: name, Space: name, Roles: []string{sdk.DefaultRole},
		FailoverTimeout: 7 * 24 * time.Hour, LeaseTTL: 10 * time.Second,
	}
}

// FillIn takes from the environment what is not set. New does it.
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

// Validate refuses settings that cannot work, by their names: an *sdk.Error of
// sdk.CodeInvalid. New does it.
func (o *Options) Validate() error {
	switch {
	case o.Name == "":
		return sdk.Errorf(sdk.CodeInvalid, "name", "must not be empty")
	case o.Principal == "":
		return sdk.Errorf(sdk.CodeInvalid, "principal", "must not be empty")
	case o.Space == "":
		return sdk.Errorf(sdk.CodeInvalid, "space", "must not be empty")
	case len(o.Roles) == 0:
		return sdk.Errorf(sdk.CodeInvalid, "roles", "at least one is needed, such as *")
	case o.Port < 0 || o.Port > 65535:
		return sdk.Errorf(sdk.CodeInvalid, "port", "%d is no port", o.Port)
	case o.LeaseTTL < time.Second:
		return sdk.Errorf(sdk.CodeInvalid, "lease-ttl", "%v is less than a second", o.LeaseTTL)
	case o.FailoverTimeout <= 0:
		return sdk.Errorf(sdk.CodeInvalid, "failover-timeout", "must be positive, or the kernel ends all tasks when %s blinks", o.Name)
	}
	return nil
}

// storePatience is how long a call waits for a leading master before it is tried
// anew.
const storePatience = 5 * time.Second

func (o *Options) store() store.Options {
	task := store.FromEnv(o.Space) // that the lease ends with, where no token says it
	return store.Options{
		Addrs: o.Addrs, Token: o.Token, TokenFile: o.TokenFile, Space: o.Space, Principal: o.Principal, Patience: storePatience,
		Transport: o.Transport, FrameworkID: task.FrameworkID, TaskID: task.TaskID,
	}
}

func (o *Options) masters() masters.Options {
	return masters.Options{Addrs: o.Addrs, Token: o.Token, TokenFile: o.TokenFile, Transport: o.Transport}
}

func (o *Options) framework(id sdk.FrameworkID) framework.Options {
	f := framework.DefaultOptions(o.Name)
	f.Addrs, f.Token, f.TokenFile, f.Transport = o.Addrs, o.Token, o.TokenFile, o.Transport
	f.Info.ID, f.Info.Principal, f.Info.Roles = id, o.Principal, o.Roles
	f.Info.FailoverTimeout = o.FailoverTimeout.Seconds()
	f.SuppressedRoles, f.ExplicitAck = o.Roles, true
	return f
}

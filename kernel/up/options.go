package up

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/profferhq/proffer/sdk"
)

// Options say what `proffer up` makes.
type Options struct {
	Dir        string   // all state; made when it is missing
	Binary     string   // the proffer binary; empty: this process's own
	Masters    int      // 1, 3 or 5
	Agents     int      // at least one
	PortOffset int      // shifts every port
	Bind       string   // address of the masters
	Resources  []string // per agent, in their order; an empty text means a share of the machine
	Attributes []string // per agent
	Insecure   bool     // no credentials at all
	Publish    []string // PORT=NAME, of the gateway; the offset shifts the ports
	Boot       string   // file of the boot manifest of a new cluster; empty for the default one, "none" for none
	MasterArgs []string // passed on to every master
	AgentArgs  []string // passed on to every agent

	Machine  sdk.Resources // what the machine has, to be divided
	Overhead sdk.Resources // what each agent keeps of its share for launcher and executors
	Talk     io.Writer     // what a person reads: stderr
}

// DefaultDir is where `up` keeps its state and the client looks for the token: $PROFFER_DIR,
// else a directory that a task's user can reach.
func DefaultDir() string {
	if d := os.Getenv("PROFFER_DIR"); d != "" {
		return d
	}
	if os.Getuid() == 0 {
		return "/var/lib/proffer/up"
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ".proffer"
	}
	return filepath.Join(home, ".proffer")
}

// DefaultOptions is one master and one agent with all of the machine, on loopback.
func DefaultOptions() Options {
	return Options{Dir: DefaultDir(), Masters: 1, Agents: 1, Bind: "127.0.0.1", Talk: os.Stderr,
		Publish: []string{"8080=marathonish", "4400=chronosish"}} // where Marathon's and Chronos's clients look
}

// Validate lists everything that is wrong with the options.
func (o Options) Validate() error {
	var all []error
	if o.Dir == "" {
		all = append(all, errors.New("--dir: must name a directory"))
	}
	if o.Masters != 1 && o.Masters != 3 && o.Masters != 5 {
		all = append(all, fmt.Errorf("--masters %d: must be 1, 3 or 5, so that a majority outlives the loss of none, one or two", o.Masters))
	}
	if o.Agents < 1 || o.Agents > 100 {
		all = append(all, fmt.Errorf("--agents %d: must be 1 to 100", o.Agents))
	}
	if o.PortOffset < 0 || o.PortOffset > 9000 {
		all = append(all, fmt.Errorf("--port-offset %d: must be 0 to 9000", o.PortOffset))
	}
	if _, err := shifted(o.Publish, o.PortOffset); err != nil {
		all = append(all, err)
	}
	if len(o.Resources) > o.Agents {
		all = append(all, fmt.Errorf("--resources is given %d times for %d agents", len(o.Resources), o.Agents))
	}
	if len(o.Attributes) > o.Agents {
		all = append(all, fmt.Errorf("--attributes is given %d times for %d agents", len(o.Attributes), o.Agents))
	}
	return errors.Join(all...)
}

package farm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
)

// Options describe a farm.
type Options struct {
	Agents    int
	Addrs     []string       // the masters, host:port each
	Key       credential.Key // the cluster's
	Resources sdk.Resources  // of each agent
	Run       time.Duration  // how long a task runs; 0 for ever
	// Posts is how many connections the agents' calls share; 0 for one of each agent's
	// own, as real ones have. An agent's stream is always its own.
	Posts int
	// Timeout and Pause are an agent's --link-timeout and --link-pause.
	Timeout, Pause time.Duration
}

// Counts are sums over all agents since the start.
type Counts struct {
	In, Out       atomic.Int64 // bytes that agents have received and sent, HTTP's included
	Registrations atomic.Int64 // taken in by a leader
	Lost          atomic.Int64 // streams that ended
	Runs          atomic.Int64 // tasks that began
	Twice         atomic.Int64 // RUNs of a task that had ended already
	Finished      atomic.Int64 // tasks that ran to their end
	Killed        atomic.Int64 // tasks that somebody had killed
	Updates       atomic.Int64 // states that tasks have reached
	Resent        atomic.Int64 // updates that were sent once more
	Acknowledged  atomic.Int64
	Unwanted      atomic.Int64 // agents told to go
}

// Farm is the agents.
type Farm struct {
	Counts
	o      Options
	token  string
	agents []*agent
	posts  chan *conn    // shared connections that are free, nil where agents have their own
	first  chan struct{} // bounds first registrations at once
	here   atomic.Int64
	last   atomic.Int64 // when an agent was taken in last, unix nanoseconds
	door   net.Listener // where masters look whether agents can be reached
	wait   sync.WaitGroup
	cancel context.CancelFunc
}

// atOnce is how many agents come at a time at the start; later they come as they are.
const atOnce = 200

// Start makes the agents and has them look for a leader. Stop ends them.
func Start(o Options) (*Farm, error) {
	if o.Agents < 1 || len(o.Addrs) == 0 {
		return nil, errors.New("farm: agents and the addresses of masters are needed")
	}
	if o.Timeout == 0 {
		o.Timeout, o.Pause = 15*time.Second, 5*time.Second
	}
	door, err := openDoor()
	if err != nil {
		return nil, err
	}
	f := &Farm{o: o, door: door, first: make(chan struct{}, atOnce),
		token: o.Key.Sign(credential.Claims{Kind: credential.KindAgent, Principal: "agent"})}
	if o.Posts > 0 {
		f.posts = make(chan *conn, o.Posts)
		for range o.Posts {
			f.posts <- &conn{f: f}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	f.wait.Go(f.letIn)
	for i := range o.Agents {
		a := newAgent(f, fmt.Sprintf("sim-%05d", i), f.address(i))
		f.agents = append(f.agents, a)
		f.wait.Go(func() { a.run(ctx) })
	}
	return f, nil
}

// openDoor listens on all addresses of the loopback device: each agent has one of its own.
func openDoor() (net.Listener, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) { failed = unix.BindToDevice(int(fd), "lo") })
		return errors.Join(err, failed)
	}}
	return lc.Listen(context.Background(), "tcp4", "0.0.0.0:0")
}

// address is where masters find agent i.
func (f *Farm) address(i int) string {
	_, port, _ := net.SplitHostPort(f.door.Addr().String())
	return fmt.Sprintf("127.%d.%d.%d:%s", 1+i>>14, i>>7&127, 1+i&127, port)
}

// letIn lets in whoever knocks, and out again.
func (f *Farm) letIn() {
	for {
		c, err := f.door.Accept()
		if err != nil {
			return
		}
		_ = c.Close()
	}
}

// Stop ends the agents without a word, as a power failure would.
func (f *Farm) Stop() {
	f.cancel()
	_ = f.door.Close()
	f.wait.Wait()
}

// Here tells how many agents a leader has taken in, on streams that are open.
func (f *Farm) Here() int { return int(f.here.Load()) }

// Size is how many agents there are.
func (f *Farm) Size() int { return len(f.agents) }

// LastCame is when an agent was taken in last.
func (f *Farm) LastCame() time.Time { return time.Unix(0, f.last.Load()) }

// Holding tells how many tasks run now, and how many updates wait for their
// acknowledgement.
func (f *Farm) Holding() (running, waiting int) {
	for _, a := range f.agents {
		r, w := a.holding()
		running, waiting = running+r, waiting+w
	}
	return running, waiting
}

package up

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
)

// How long the daemons have to stop. An agent first ends its tasks: their grace, then
// SIGKILL, then the groups.
const (
	agentGrace  = 30 * time.Second
	masterGrace = 10 * time.Second
)

// Run makes the cluster and keeps it until ctx ends. ready is called once with the
// masters' addresses when every daemon has been started, in a goroutine of its own; its
// context ends before Run does.
func Run(ctx context.Context, o Options, ready func(ctx context.Context, addr string)) error {
	if err := o.Validate(); err != nil {
		return err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	o.Dir = dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	ms := masters(o.Masters, dir, o.Bind, o.PortOffset)
	as, err := agents(o.Agents, dir, o.PortOffset, o.Machine, o.Overhead, o.Resources)
	if err != nil {
		return err
	}
	addr := addresses(ms)
	if err := writeAccess(o, addr); err != nil {
		return err
	}
	sup, err := newSupervisor(o.Talk)
	if err != nil {
		return err
	}
	defer sup.close()
	return supervise(ctx, o, sup, ms, as, func(ctx context.Context) { ready(ctx, addr) })
}

// supervise runs masters and agents; at the end the agents stop first, while there is
// still a master to tell.
func supervise(ctx context.Context, o Options, sup *supervisor, ms, as []member, ready func(context.Context)) error {
	agentCtx, fail := context.WithCancel(ctx)
	defer fail()
	masterCtx, stopMasters := context.WithCancel(context.WithoutCancel(ctx))
	defer stopMasters()
	var mu sync.Mutex
	var failures []error
	keep := func(group *sync.WaitGroup, ctx context.Context, d *daemon, grace time.Duration) {
		group.Go(func() {
			if err := d.run(ctx, grace); err != nil {
				mu.Lock()
				failures = append(failures, err)
				mu.Unlock()
				fail()
			}
		})
	}
	var masterGroup, agentGroup, readyGroup sync.WaitGroup
	for _, m := range ms {
		keep(&masterGroup, masterCtx, newDaemon(m, masterArgs(o, m, ms), sup), masterGrace)
	}
	for i, a := range as {
		d := newDaemon(a, agentArgs(o, i, a, ms), sup)
		d.sweep = append(slices.Clone(d.argv), "--sweep")
		keep(&agentGroup, agentCtx, d, agentGrace)
	}
	readyGroup.Go(func() { ready(agentCtx) })
	<-agentCtx.Done()
	agentGroup.Wait()
	stopMasters()
	masterGroup.Wait()
	readyGroup.Wait()
	return errors.Join(failures...)
}

func addresses(ms []member) string {
	var all []string
	for _, m := range ms {
		all = append(all, m.addr())
	}
	return strings.Join(all, ",")
}

// masterArgs is the command line of one master.
func masterArgs(o Options, m member, ms []member) []string {
	argv := []string{o.Binary, "master", "--dir", m.Dir, "--bind", m.Host, "--port", strconv.Itoa(m.Port),
		"--raft-port", strconv.Itoa(m.RaftPort), "--gossip-port", strconv.Itoa(m.GossipPort), "--log-level", "warn"}
	if len(ms) == 1 {
		argv = append(argv, "--bootstrap")
	} else {
		argv = append(argv, "--expect", raftAddresses(ms), "--join", gossip(ms))
	}
	if o.Boot != "" {
		argv = append(argv, "--boot", o.Boot)
	}
	ports, _ := shifted(o.Publish, o.PortOffset) // Validate has looked at them
	for _, p := range ports {
		argv = append(argv, "--publish", p)
	}
	return append(append(argv, access(o)...), o.MasterArgs...)
}

// agentArgs is the command line of agent i.
func agentArgs(o Options, i int, a member, ms []member) []string {
	argv := []string{o.Binary, "agent", "--dir", a.Dir, "--bind", a.Host, "--hostname", a.Host, "--port", strconv.Itoa(a.Port),
		"--gossip-port", strconv.Itoa(a.GossipPort), "--masters", addresses(ms), "--join", gossip(ms), "--log-level", "warn",
		"--resources", a.Resources, "--kill-tasks-on-stop"}
	if a.Overhead != "" {
		argv = append(argv, "--overhead", a.Overhead)
	}
	if i < len(o.Attributes) && o.Attributes[i] != "" {
		argv = append(argv, "--attributes", o.Attributes[i])
	}
	return append(append(argv, access(o)...), o.AgentArgs...)
}

func raftAddresses(ms []member) string {
	var all []string
	for _, m := range ms {
		all = append(all, net.JoinHostPort(m.Host, strconv.Itoa(m.RaftPort)))
	}
	return strings.Join(all, ",")
}

func gossip(ms []member) string {
	var all []string
	for _, m := range ms {
		all = append(all, net.JoinHostPort(m.Host, strconv.Itoa(m.GossipPort)))
	}
	return strings.Join(all, ",")
}

func access(o Options) []string {
	if o.Insecure {
		return []string{"--insecure"}
	}
	return []string{"--key", keyFile(o.Dir)}
}

func keyFile(dir string) string { return filepath.Join(dir, "key") }

// writeAccess makes what the client finds by itself: the cluster key on the first start,
// the operator's token (0600), and the masters' addresses.
func writeAccess(o Options, addr string) error {
	if err := os.WriteFile(filepath.Join(o.Dir, "address"), []byte(addr+"\n"), 0o644); err != nil {
		return fmt.Errorf("write the address file: %w", err)
	}
	if o.Insecure {
		err := os.Remove(filepath.Join(o.Dir, "token"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	key, err := credential.CreateKeyFile(keyFile(o.Dir)) // kept when it is there already
	if err != nil {
		return err
	}
	token := key.Sign(credential.Claims{Kind: credential.KindOperator, Principal: "operator", Issued: time.Now().Unix()})
	return credential.WriteTokenFile(filepath.Join(o.Dir, "token"), token)
}

// lockDir takes the directory for this process. The lock ends with the process, however
// that ends.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid := make([]byte, 20)
		n, _ := f.Read(pid)
		f.Close()
		return nil, fmt.Errorf("%s is in use by another `proffer up` (pid %s); stop that one, or choose another --dir", dir, strings.TrimSpace(string(pid[:n])))
	}
	if err := f.Truncate(0); err != nil {
		return nil, err
	}
	_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return f, err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/profferhq/proffer/cmd/proffer-bench/farm"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

// farmCluster is masters as real processes, a farm of agents, and a framework.
type farmCluster struct {
	*upCluster
	*acceptor
	farm  *farm.Farm
	addrs []string
	ended chan error // of the framework
	end   context.CancelFunc
}

// farmOptions are what a bench with a farm varies.
type farmOptions struct {
	masters int
	profile string // default when empty
	agents  int
	cpus    int // of each agent
	run     time.Duration
	accept  pace
}

// ownPosts is up to how many agents each has a connection of its own for its calls: a
// process has 20,000 descriptors in common set-ups, and each agent a stream beside it.
const ownPosts = 9500

// startFarm starts all of it and waits until every agent is there; the framework is run by
// begin.
func startFarm(ctx context.Context, o options, fo farmOptions) (*farmCluster, error) {
	profile := fo.profile
	if profile == "" {
		profile = "default"
	}
	u, err := startUp(ctx, o, "cpus:0.1;mem:32", "--masters", strconv.Itoa(fo.masters), "--profile", profile)
	if err != nil {
		return nil, err
	}
	c := &farmCluster{upCluster: u}
	if err := c.people(o, fo); err != nil {
		c.stop()
		return nil, err
	}
	err = poll(ctx, 2*time.Minute, 20*time.Millisecond, "all agents are there", func() error {
		if n := c.farm.Here(); n < fo.agents {
			return fmt.Errorf("%d of %d", n, fo.agents)
		}
		return nil
	})
	if err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// people starts the farm and makes the framework.
func (c *farmCluster) people(o options, fo farmOptions) error {
	first, err := url.Parse("http://" + c.addr)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(first.Port())
	if err != nil {
		return err
	}
	for i := range fo.masters {
		c.addrs = append(c.addrs, fmt.Sprintf("127.0.0.1:%d", port+10*i))
	}
	key, err := credential.ReadKeyFile(filepath.Join(c.dir, "key"))
	if err != nil {
		return err
	}
	total, err := sdk.ParseResources(fmt.Sprintf("cpus:%d;mem:%d;disk:10000;ports:[31000-32000]", fo.cpus, 64*fo.cpus))
	if err != nil {
		return err
	}
	f := farm.Options{Agents: fo.agents, Addrs: c.addrs, Key: key, Resources: total, Run: fo.run}
	if fo.agents > ownPosts {
		f.Posts = 256
	}
	if fo.profile == "fast" {
		f.Timeout, f.Pause = 2*time.Second, 500*time.Millisecond
	}
	if c.acceptor, err = newAcceptor(c.addrs, c.token); err != nil {
		return err
	}
	c.pace = fo.accept
	c.farm, err = farm.Start(f)
	return err
}

// begin runs the framework, until stop.
func (c *farmCluster) begin(ctx context.Context) {
	ctx, c.end = context.WithCancel(ctx)
	c.ended = make(chan error, 1)
	go func() { c.ended <- c.acceptor.run(ctx) }()
}

func (c *farmCluster) stop() {
	if c.end != nil {
		c.end()
		<-c.ended
	}
	if c.farm != nil {
		c.farm.Stop()
	}
	c.upCluster.stop()
}

// leader is the number of the master that serves the framework, and its process.
func (c *farmCluster) leader() (n, pid int, err error) {
	at, err := url.Parse(c.f.Leader())
	if err != nil {
		return 0, 0, err
	}
	n = slices.Index(c.addrs, at.Host)
	if n < 0 {
		return 0, 0, errors.New("nobody leads")
	}
	pid, err = c.daemon("master", n)
	return n, pid, err
}

// operator is a client of the cluster's.
func (c *farmCluster) operator() (*operator.Client, error) {
	o := operator.DefaultOptions()
	o.Addrs, o.Token = c.addrs, c.token
	return operator.New(o)
}

// whole tells whether every master follows closely.
func (c *farmCluster) whole(ctx context.Context) error {
	op, err := c.operator()
	if err != nil {
		return err
	}
	defer op.Close()
	all, err := op.Masters(ctx)
	if err != nil {
		return err
	}
	var most uint64
	for _, m := range all.Masters {
		most = max(most, m.Applied)
	}
	for _, m := range all.Masters {
		if m.Trouble != "" || !m.Voter || m.Applied+100 < most {
			return fmt.Errorf("master %s is not with the others: %s", m.Name, m.Trouble)
		}
	}
	if len(all.Masters) != len(c.addrs) {
		return fmt.Errorf("%d masters", len(all.Masters))
	}
	return nil
}

// peakMemory is the most that a process had in memory so far, in bytes.
func peakMemory(pid int) int64 {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kib, _ := strconv.ParseInt(f[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}

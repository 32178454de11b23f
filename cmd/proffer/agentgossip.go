package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/membership"
)

// gossip joins the agent to the gossip, so that masters see who is around; it decides
// nothing. A port that is taken ends the agent: two of them would be one member.
func (a *agentFlags) gossip() (*membership.Gossip, error) {
	if a.gossipPort == 0 {
		return nil, nil
	}
	var key credential.Key
	if !a.o.Insecure {
		var err error
		if key, err = credential.ReadKeyFile(a.o.KeyFile); err != nil {
			return nil, err
		}
	}
	g, err := membership.New(membership.Options{
		Name: fmt.Sprintf("agent-%s:%d-%s", a.o.Bind, a.o.Port, filepath.Base(a.o.Dir)), Cluster: a.o.Cluster, Bind: a.o.Bind, Port: a.gossipPort, Key: key, Insecure: a.o.Insecure,
		Probe: a.probe, Seeds: a.join, Meta: membership.Meta{Role: membership.RoleAgent, HTTP: a.o.Advertised(a.o.Port), Release: version},
		Log: a.o.Log.With("part", "membership"),
	})
	if err != nil {
		return nil, fmt.Errorf("join the gossip: %w", err)
	}
	return g, nil
}

// runGossip runs it beside the agent, and stops it with the agent.
func runGossip(ctx context.Context, g *membership.Gossip) func() {
	if g == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = g.Run(ctx) // its end is ours; what it has to say it has logged
	}()
	return func() { cancel(); <-done }
}

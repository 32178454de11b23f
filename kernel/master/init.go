package master

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/profferhq/proffer/kernel/boot"
	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// noManifest is what --boot says for a cluster that starts nothing by itself.
const noManifest = "none"

// readManifest is the manifest that a new cluster begins with; nil for none.
func readManifest(name string) (*sdk.BootManifest, error) {
	switch name {
	case noManifest:
		return nil, nil
	case "":
		return boot.DefaultManifest()
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("--boot: %w", err)
	}
	m, err := boot.ParseManifest(text)
	if err == nil {
		err = cluster.CheckManifest(m)
	}
	if err != nil {
		return nil, fmt.Errorf("--boot %s: %w", name, err)
	}
	return m, nil
}

// newInit makes the init of a leadership.
func (m *Master) newInit(l *leader, state *registry.State) *boot.Init {
	o := boot.Options{
		Addr:        m.ownAddr(),
		FrameworkID: state.InitFramework(),
		Epoch:       l.info.ID,
		Manifest:    m.currentManifest,
		Missing: func(needs sdk.Resources) string {
			return boot.Missing(needs, l.view.answer(sdk.OperatorGetAgents).GetAgents.Agents)
		},
		Log: m.opts.Log.With("part", "init"),
	}
	if !m.opts.Insecure {
		o.Token = m.key.Sign(credential.Claims{Kind: credential.KindOperator, Principal: boot.Principal, Issued: time.Now().Unix()})
	}
	return boot.New(o)
}

// currentManifest is the manifest as of now, and a number that changes with it.
func (m *Master) currentManifest() (manifest *sdk.BootManifest, index uint64) {
	m.consensus.View(func(s *registry.State) {
		if x := s.Manifest(); x != nil {
			manifest, index = &x.Manifest, x.Index
		}
	})
	return manifest, index
}

// ownAddr is where this process reaches its own HTTP.
func (m *Master) ownAddr() string {
	host, port, _ := net.SplitHostPort(m.listener.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// runLeader leads, with init beside it, until the leadership ends.
func (m *Master) runLeader(ctx context.Context, l *leader) {
	ictx, stop := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		l.init.Run(ictx)
	}()
	l.run(ctx)
	stop()
	<-over
}

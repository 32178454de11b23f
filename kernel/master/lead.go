package master

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/consensus"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// lead serves one leadership after the other until ctx ends.
func (m *Master) lead(ctx context.Context) error {
	for {
		var term consensus.Term
		select {
		case term = <-m.consensus.Leading():
		case <-ctx.Done():
			return nil
		}
		m.metrics.terms.Inc()
		l, err := m.prepare(ctx, term)
		if err != nil {
			// Not a failure of the process: the next leader, or the next term of this one, goes on.
			m.opts.Log.Warn("elected, but could not begin to lead", "term", term.Number, "error", err)
			if err := m.yield(ctx, term); err != nil {
				return err
			}
			continue
		}
		l.step(l.now(), cluster.Tick{}) // who has waited for a leader is not to be answered from nothing
		m.leads.Store(l)
		m.remind(l)
		m.changed.ring()
		m.metrics.leading.Set(1)
		l.log.Info("this master leads", "cluster_id", l.info.ID, "after", time.Since(m.started).Round(time.Millisecond).String())
		m.runLeader(ctx, l)
		m.leads.Store(nil)
		m.keeps.Store(nil)
		m.metrics.leading.Set(0)
		if r := l.restores; r != nil {
			r.done <- m.consensus.Restore(r.ctx, r.backup)
		}
		if err := m.yield(ctx, term); err != nil {
			return err
		}
	}
}

// yield gives up a leadership that raft still believes in: its mind has ended.
// Without raft this process is of no use.
func (m *Master) yield(ctx context.Context, term consensus.Term) error {
	select {
	case <-term.Lost:
		return nil
	case <-ctx.Done():
		return m.consensus.Close() // the others need not wait for the rest of this process
	default:
	}
	if err := m.consensus.Resign(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("could not give up the leadership of term %d: %w", term.Number, err)
	}
	return nil
}

// prepare makes a new mind from the registry as of now.
func (m *Master) prepare(ctx context.Context, term consensus.Term) (l *leader, err error) {
	if err := m.consensus.Barrier(ctx); err != nil {
		return nil, err
	}
	if now, err := m.consensus.Term(); err != nil || now != term.Number {
		return nil, errors.Join(err, fmt.Errorf("elected for the term %d, but it is the term %d", term.Number, now))
	}
	if err := m.introduce(ctx); err != nil {
		return nil, err
	}
	var state *registry.State
	m.consensus.View(func(s *registry.State) { state = s.Clone() })
	o := m.opts.Mind
	o.Registry = state
	o.Fence = link.Fence{Generation: state.Generation(), Term: term.Number}
	o.Master = m.masterInfo(fmt.Sprintf("%s-%d-%d", state.ClusterID(), state.Generation(), term.Number))
	o.Published = m.opts.published()
	if o.Allocator.HeadRoom, err = m.opts.headroom(); err != nil {
		return nil, err
	}
	if o.RemovalRate, err = cluster.ParseRemovalRate(m.opts.RemovalRate); err != nil {
		return nil, err
	}
	o.AllowedUsers, o.FrameworkLaunchers = m.opts.allowedUsers(), slices.Clone(m.opts.FrameworkLaunchers)
	l = newLeader(term, cluster.New(time.Now().Add(m.opts.ClockOffset), o), m.opts.Log.With("part", "leader"), m.metrics)
	l.info, l.offset = o.Master, m.opts.ClockOffset
	l.propose, l.restorable = m.consensus.ProposeBatch, m.consensus.RestorableFrom
	m.keepStore(l)
	l.init = m.newInit(l, state)
	return l, nil
}

// introduce gives a fresh cluster its identity, and tells what this master knows.
func (m *Master) introduce(ctx context.Context) error {
	var id, name string
	known := false
	m.consensus.View(func(s *registry.State) {
		id, name = s.ClusterID(), s.ClusterName()
		known = slices.Contains(s.Members(), m.member())
	})
	var cmds []registry.Command
	if id == "" {
		fresh := strings.ReplaceAll(uuid.NewString(), "-", "")[:12]
		cmds = append(cmds, registry.Command{Type: registry.CommandBootstrap, Time: time.Now().UnixNano(),
			Bootstrap: &registry.Bootstrap{ClusterID: fresh, Name: m.opts.Cluster}})
		if m.manifest != nil {
			cmds = append(cmds, registry.Command{Type: registry.CommandSetManifest, Time: time.Now().UnixNano(),
				SetManifest: &registry.SetManifest{Manifest: *m.manifest}})
		}
	} else if name != m.opts.Cluster {
		m.opts.Log.Warn("this master was told another name of the cluster than the one it was bootstrapped with", "told", m.opts.Cluster, "bootstrapped", name)
	}
	if !known {
		self := m.member()
		cmds = append(cmds, registry.Command{Type: registry.CommandMember, Time: time.Now().UnixNano(), Member: &self})
	}
	if len(cmds) == 0 {
		return nil
	}
	results, err := m.consensus.ProposeBatch(ctx, cmds)
	if err != nil {
		return err
	}
	var refused []error
	for _, r := range results {
		if r.Err != nil {
			refused = append(refused, r.Err)
		}
	}
	return errors.Join(refused...)
}

func (m *Master) member() registry.Member {
	return registry.Member{Name: m.name, Command: registry.CommandVersion, Store: store.CommandVersion, Release: m.opts.Version}
}

// masterInfo is what schedulers are told about this leader. Mesos writes the IPv4
// address as the number that its bytes make in memory.
func (m *Master) masterInfo(id string) sdk.MasterInfo {
	host, portText, _ := net.SplitHostPort(m.Addr())
	port, _ := strconv.Atoi(portText)
	ip := net.ParseIP(host).To4()
	if ip == nil {
		ip = net.ParseIP(m.opts.Bind).To4()
	}
	if ip == nil {
		ip = net.IPv4zero.To4()
	}
	return sdk.MasterInfo{
		ID: id, IP: binary.LittleEndian.Uint32(ip), Port: uint32(port), PID: "master@" + net.JoinHostPort(ip.String(), portText),
		Hostname: host, Version: mesosVersion,
		Address: &sdk.Address{Hostname: host, IP: ip.String(), Port: int32(port)},
		// Not QUOTA_V2: mesos-go's JSON codec does not know it and could never subscribe.
		Capabilities: []sdk.MasterCapability{{Type: sdk.MasterCapabilityAgentUpdate}},
	}
}

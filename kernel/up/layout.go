package up

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// The ports of the first master and agent: those of Mesos, so that its clients' defaults
// work, and memberlist's.
const (
	masterPort       = 5050
	masterRaftPort   = 5052
	masterGossipPort = 7946
	agentPort        = 5051
	agentGossipPort  = 7947
	portStep         = 10 // between two masters, and between two agents
)

// member is where one daemon lives.
type member struct {
	Name       string // master0, agent1: how it is named on stderr
	Dir        string
	Host       string // address and hostname
	Port       int
	RaftPort   int // masters only
	GossipPort int
	Resources  string // agents only; the text of sdk.ParseResources
	Overhead   string // agents only: what of its share is kept for launcher and executors
}

func (m member) addr() string { return net.JoinHostPort(m.Host, strconv.Itoa(m.Port)) }

// masters lays out n masters on host below dir, every port shifted by offset.
func masters(n int, dir, host string, offset int) []member {
	out := make([]member, n)
	for i := range out {
		shift := portStep*i + offset
		name := fmt.Sprintf("master%d", i)
		out[i] = member{Name: name, Dir: filepath.Join(dir, name), Host: host,
			Port: masterPort + shift, RaftPort: masterRaftPort + shift, GossipPort: masterGossipPort + shift}
	}
	return out
}

// shifted are publications, PORT=NAME each, with every port shifted by offset.
func shifted(publish []string, offset int) ([]string, error) {
	var out []string
	for _, text := range publish {
		port, name, ok := strings.Cut(text, "=")
		n, err := strconv.Atoi(port)
		if !ok || name == "" || err != nil || n < 1 || n+offset > 65535 {
			return nil, fmt.Errorf("--publish %q: must be PORT=NAME, such as 8080=marathonish, with a port of 1 to %d (or none, for no such port)", text, 65535-offset)
		}
		out = append(out, fmt.Sprintf("%d=%s", n+offset, name))
	}
	return out, nil
}

// agents lays out n agents below dir: agent i is 127.0.0.(i+1), so that constraints on the
// host mean something on one machine. The whole machine is
// divided, and each agent keeps overhead for its launcher and executors, unless given has a
// text for agent i.
func agents(n int, dir string, offset int, machine, overhead sdk.Resources, given []string) ([]member, error) {
	out := make([]member, n)
	for i := range out {
		shift := portStep*i + offset
		name := fmt.Sprintf("agent%d", i)
		out[i] = member{Name: name, Dir: filepath.Join(dir, name), Host: fmt.Sprintf("127.0.0.%d", i+1),
			Port: agentPort + shift, GossipPort: agentGossipPort + shift}
		if i < len(given) && given[i] != "" {
			if _, err := sdk.ParseResources(given[i]); err != nil {
				return nil, fmt.Errorf("--resources of agent %d: %w", i, err)
			}
			out[i].Resources = given[i]
			continue
		}
		kept := keeps(overhead, n)
		out[i].Resources = share(machine, n, i, offset).Subtract(kept).String()
		out[i].Overhead = kept.String()
	}
	return out, nil
}

// keeps is what one agent of n keeps: each has a launcher and executors of its own, but they
// share the disk, of which a part was kept.
func keeps(overhead sdk.Resources, n int) sdk.Resources {
	var out sdk.Resources
	for _, r := range overhead {
		if r.Name == "disk" && r.Scalar != nil {
			r.Scalar = &sdk.Scalar{Value: float64(int64(r.Scalar.Value) / int64(n))}
		}
		out = append(out, r)
	}
	return out
}

// share is the part of the machine that agent i of n offers: an nth of each scalar, and its
// own slice of the task ports. Those are 31000 to 32000, or with an offset K the thousand
// ports from 21000+K on, below the ephemeral ones, so that two `up`s on one machine never
// hand out the same.
func share(machine sdk.Resources, n, i, offset int) sdk.Resources {
	first, count := uint64(31000), uint64(1001)
	if offset > 0 {
		first, count = uint64(21000+offset), 1000
	}
	var out sdk.Resources
	for _, r := range machine {
		if r.Type == sdk.ValueScalar && r.Scalar != nil {
			part := r
			part.Scalar = &sdk.Scalar{Value: float64(int64(r.Scalar.Value*1000)/int64(n)) / 1000}
			if r.Name != "cpus" {
				part.Scalar.Value = float64(int64(part.Scalar.Value))
			}
			out = append(out, part)
		}
	}
	from, to := first+count*uint64(i)/uint64(n), first+count*uint64(i+1)/uint64(n)-1
	return append(out, sdk.Resource{Name: "ports", Type: sdk.ValueRanges, Ranges: &sdk.Ranges{Range: []sdk.Range{{Begin: from, End: to}}}})
}

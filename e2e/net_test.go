package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/e2e/lan"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/store"
)

// netCluster is three masters and some agents, each on a host of its own, and two hosts of
// clients. The daemons are started as an operator starts them; nobody restarts a dead one.
type netCluster struct {
	*cluster // its directories and words; no `up`
	t        *testing.T
	sw       *lan.Switch
	hosts    map[string]*lan.Host // m0 to m2, a0…, c0, c1
	secret   string
	daemons  map[string]*daemon
	masterAs []string // more arguments
	agentAs  []string
}

// daemon is one process of the cluster, and what it has said in all of its lives.
type daemon struct {
	host  string
	args  []string
	cmd   *exec.Cmd
	ended chan struct{}
	mu    sync.Mutex
	said  bytes.Buffer
}

func (d *daemon) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.said.Write(b)
}

func (d *daemon) talk() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.said.String()
}

const netMasters = 3

// startNet makes the hosts and starts the cluster on them; boot is the manifest, or none.
// At the end of the test the hosts go, with all that runs on them.
func startNet(t *testing.T, agents int, boot string, more ...string) *netCluster {
	t.Helper()
	n := newNet(t, agents, boot, more...)
	n.up()
	return n
}

// newNet makes the hosts only.
func newNet(t *testing.T, agents int, boot string, more ...string) *netCluster {
	t.Helper()
	needRoot(t)
	_, err := os.Stat("/dev/net/tun")
	need(t, "/dev/net/tun", err == nil)
	n := &netCluster{t: t, cluster: newCluster(t), sw: lan.NewSwitch(1), hosts: map[string]*lan.Host{}, daemons: map[string]*daemon{}}
	n.ownPrograms()
	t.Cleanup(n.over)
	key, err := credential.CreateKeyFile(filepath.Join(n.dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	n.secret = key.Sign(credential.Claims{Kind: credential.KindOperator, Principal: "operator", Issued: time.Now().Unix()})
	n.masterAs = append([]string{"--boot", boot}, more...)
	var names []string
	for i := range netMasters {
		names = append(names, fmt.Sprintf("m%d", i))
	}
	for i := range agents {
		names = append(names, fmt.Sprintf("a%d", i))
	}
	for i, name := range append(names, "c0", "c1") {
		h, err := lan.NewHost(n.sw, name, netip.AddrFrom4([4]byte{10, 77, 0, byte(11 + i)}))
		if err != nil {
			t.Fatal(err)
		}
		n.hosts[name] = h
	}
	n.reach = &reach{addr: n.addrs(5050, "m0"), token: n.secret, transport: n.transport("c0")}
	return n
}

// up starts the daemons and waits until all are there.
func (n *netCluster) up() {
	n.t.Helper()
	agents := 0
	for _, name := range sorted(n.hosts) {
		if name[0] != 'c' {
			n.start(name)
		}
		if name[0] == 'a' {
			agents++
		}
	}
	eventually(n.t, 30*time.Second, "all masters take part and all agents are there", func() bool {
		return n.leader() != "" && strings.Count(n.cli("c0", "cluster", "members").out, "follows") == netMasters-1 &&
			strings.Contains(n.cli("c0", "status").out, fmt.Sprintf("%d of %d", agents, agents))
	})
}

func (n *netCluster) over() {
	for _, d := range n.daemons {
		n.stopped(d)
	}
	for _, h := range n.hosts {
		h.Close()
	}
	n.sw.Close()
	if !n.t.Failed() {
		return
	}
	for _, e := range n.sw.Events() {
		n.t.Logf("fault: %v", e)
	}
	for _, name := range sorted(n.daemons) {
		text := n.daemons[name].talk()
		n.t.Logf("%s said, at the end:\n%s", name, text[max(0, len(text)-6000):])
	}
}

func sorted[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// addrs are the masters' addresses with a port; of those named, or of all.
func (n *netCluster) addrs(port int, names ...string) string {
	if len(names) == 0 {
		names = []string{"m0", "m1", "m2"}
	}
	var all []string
	for _, name := range names {
		all = append(all, fmt.Sprintf("%s:%d", n.hosts[name].Addr, port))
	}
	return strings.Join(all, ",")
}

// start starts the daemon of a host, the first time or again.
func (n *netCluster) start(name string) {
	n.t.Helper()
	d := n.daemons[name]
	if d == nil {
		ip := n.hosts[name].Addr.String()
		d = &daemon{host: name, args: []string{"--dir", filepath.Join(n.dir, name), "--bind", ip, "--hostname", ip, "--key", filepath.Join(n.dir, "key"),
			"--join", n.addrs(7946), "--log-level", "info"}}
		if name[0] == 'm' {
			d.args = append(append([]string{"master"}, d.args...), append([]string{"--expect", n.addrs(5052), "--system-headroom", ""}, n.masterAs...)...)
		} else {
			i, _ := strconv.Atoi(name[1:])
			d.args = append(append([]string{"agent"}, d.args...), append([]string{"--masters", n.addrs(5050), "--no-cgroups",
				"--resources", fmt.Sprintf("cpus:64;mem:65536;disk:65536;ports:[%d-%d]", 28000+100*i, 28099+100*i)}, n.agentAs...)...)
		}
		n.daemons[name] = d
	}
	d.cmd = exec.Command(filepath.Join(n.bin, "proffer"), d.args...)
	d.cmd.Stderr, d.cmd.Stdout = d, d
	if err := n.hosts[name].Start(d.cmd); err != nil {
		n.t.Fatal(err)
	}
	cmd, ended := d.cmd, make(chan struct{})
	d.ended = ended
	go func() { _ = cmd.Wait(); close(ended) }()
}

// signal sends one to a daemon, and writes that into the log of faults.
func (n *netCluster) signal(name string, sig syscall.Signal) {
	n.t.Helper()
	n.sw.Note(fmt.Sprintf("%v to %s", sig, name))
	if err := n.daemons[name].cmd.Process.Signal(sig); err != nil {
		n.t.Errorf("%v to %s: %v", sig, name, err)
	}
}

// kill is kill -9 of a daemon; what it has started stays.
func (n *netCluster) kill(name string) {
	n.t.Helper()
	n.signal(name, syscall.SIGKILL)
	<-n.daemons[name].ended
}

// stopped kills a daemon whatever state it is in.
func (n *netCluster) stopped(d *daemon) {
	_ = d.cmd.Process.Kill()
	<-d.ended
}

// restart stops a daemon in order, as a service manager does, and starts it again.
func (n *netCluster) restart(name string) {
	n.t.Helper()
	n.signal(name, syscall.SIGTERM)
	select {
	case <-n.daemons[name].ended:
	case <-time.After(20 * time.Second):
		n.signal(name, syscall.SIGQUIT) // it tells what its goroutines do
		<-n.daemons[name].ended
		talk := n.daemons[name].talk()
		n.t.Errorf("%s does not end 20 s after SIGTERM: %s", name, talk[max(0, strings.LastIndex(talk, "SIGQUIT")):])
	}
	n.start(name)
}

// cli runs a command of the client on a host, a minute at the most, against the masters
// named or all of them.
func (n *netCluster) cli(host string, args ...string) result {
	return n.cliAt(host, n.addrs(5050), args...)
}

func (n *netCluster) cliAt(host, addrs string, args ...string) result {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "proffer"), args...)
	cmd.Env = append(os.Environ(), "PROFFER_DIR="+n.dir, "PROFFER_ADDR="+addrs, "PROFFER_TOKEN="+n.secret, "PROFFER_TOKEN_FILE=")
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	if err := n.hosts[host].Start(cmd); err != nil {
		n.t.Fatal(err)
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		n.t.Fatalf("proffer %v: %v", args, err)
	}
	return result{out.String(), talk.String(), cmd.ProcessState.ExitCode()}
}

// transport is that of a client on a host.
func (n *netCluster) transport(host string) *http.Transport {
	tr := masters.NewTransport()
	tr.DialContext = n.hosts[host].Dial
	n.t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// leader is the host of the master that leads in the eyes of the masters named, or of any
// of them; empty: of none.
func (n *netCluster) leader(of ...string) string {
	n.t.Helper()
	r := n.cliAt("c0", n.addrs(5050, of...), "cluster", "leader")
	for name, h := range n.hosts {
		if r.code == 0 && strings.Contains(r.out, h.Addr.String()+":") {
			return name
		}
	}
	return ""
}

// others are the masters without those named.
func (n *netCluster) others(but ...string) []string {
	return slices.DeleteFunc([]string{"m0", "m1", "m2"}, func(m string) bool { return slices.Contains(but, m) })
}

// space is a client of the store on a host, by the masters named or all.
func (n *netCluster) space(host, name string, of ...string) *store.Space {
	n.t.Helper()
	s, err := store.Open(store.Options{Addrs: strings.Split(n.addrs(5050, of...), ","), Token: n.secret, Space: name, Transport: n.transport(host)})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(s.Close)
	return s
}

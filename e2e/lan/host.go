package lan

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// first is the first process of a host: it has a /proc of its own, says so, and reaps
// what others leave behind.
const first = `mount --make-rprivate / && mount -t proc proc /proc && echo ready && while :; do sleep 3600 & wait; done`

// startTime bounds the making of a host.
const startTime = 10 * time.Second

// Host is one machine of the network.
type Host struct {
	Name string
	Addr netip.Addr

	sw   *Switch
	init *exec.Cmd
	net  int // the network namespace, as a file descriptor
	work chan func()
	end  func()
}

// NewHost makes a host on a port of the switch, with that address in a /24. It needs root.
func NewHost(sw *Switch, name string, addr netip.Addr) (*Host, error) {
	h := &Host{Name: name, Addr: addr, sw: sw, net: -1, work: make(chan func())}
	made := make(chan error)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		// Never unlocked: the thread is of the host's namespaces, and ends with the host.
		runtime.LockOSThread()
		err := h.make()
		made <- err
		for err == nil {
			do, more := <-h.work
			if !more {
				break
			}
			do()
		}
		h.unmake()
	}()
	h.end = sync.OnceFunc(func() { close(h.work); <-gone })
	if err := <-made; err != nil {
		<-gone
		return nil, fmt.Errorf("lan: make the host %s: %w", name, err)
	}
	return h, nil
}

// make starts the first process, and brings this thread and a device into its namespaces.
func (h *Host) make() error {
	h.init = exec.Command("sh", "-c", first)
	h.init.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	h.init.Stderr = os.Stderr
	says, err := h.init.StdoutPipe()
	if err != nil {
		return err
	}
	if err := h.init.Start(); err != nil {
		return err
	}
	late := time.AfterFunc(startTime, func() { _ = h.init.Process.Kill() })
	line, err := bufio.NewReader(says).ReadString('\n')
	if !late.Stop() || line != "ready\n" {
		return fmt.Errorf("its first process says %q: %w", line, err)
	}
	if err := h.enter(); err != nil {
		return err
	}
	port, err := tap(h.Addr)
	if err != nil {
		return err
	}
	h.sw.Attach(h.Name, port)
	return nil
}

// enter has this thread, and what it starts from now on, be of the host.
func (h *Host) enter() error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	dir := fmt.Sprintf("/proc/%d/ns/", h.init.Process.Pid)
	kinds := []struct {
		name string
		flag int
	}{{"net", unix.CLONE_NEWNET}, {"pid", unix.CLONE_NEWPID}, {"mnt", unix.CLONE_NEWNS}}
	var fds []int
	for _, k := range kinds { // all before the first is entered, because /proc changes
		fd, err := unix.Open(dir+k.name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		fds = append(fds, fd)
	}
	h.net = fds[0]
	var all []error
	for i, k := range kinds {
		all = append(all, unix.Setns(fds[i], k.flag))
		if i > 0 {
			all = append(all, unix.Close(fds[i]))
		}
	}
	return errors.Join(all...)
}

func (h *Host) unmake() {
	h.sw.Detach(h.Name)
	if h.init.Process != nil {
		_ = h.init.Process.Kill() // and with it all of its processes
		// It has ended when all of these have been waited for, by whoever has started them.
		go func() { _ = h.init.Wait() }()
	}
	if h.net >= 0 {
		_ = unix.Close(h.net)
	}
}

// Close turns the host off: its processes get SIGKILL, and its namespaces go. Who has
// started one waits for it.
func (h *Host) Close() { h.end() }

// Do has a function run by the host's thread: files that it opens, sockets that it makes
// and processes that it starts are the host's. Not after Close.
func (h *Host) Do(f func() error) error {
	done := make(chan error)
	h.work <- func() { done <- f() }
	return <-done
}

// Start starts a process on the host.
func (h *Host) Start(cmd *exec.Cmd) error { return h.Do(cmd.Start) }

// Dial connects from the host, as net.Dialer.DialContext does.
func (h *Host) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var conn net.Conn
	err := h.inside(func() (err error) {
		conn, err = (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}

// Listen listens at an address of the host.
func (h *Host) Listen(network, addr string) (net.Listener, error) {
	var l net.Listener
	err := h.inside(func() (err error) {
		l, err = net.Listen(network, addr)
		return err
	})
	return l, err
}

// inside runs a function on a thread of its own in the host's network, so that one that
// waits keeps nobody else.
func (h *Host) inside(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends here
		err := unix.Setns(h.net, unix.CLONE_NEWNET)
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

// PIDs maps the host's own numbers of its processes to this machine's.
func (h *Host) PIDs() map[int]int {
	out := map[int]int{}
	want, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", h.init.Process.Pid))
	if err != nil {
		return out
	}
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		if ns, err := os.Readlink(p + "/ns/pid"); err != nil || ns != want {
			continue
		}
		status, _ := os.ReadFile(p + "/status")
		for _, line := range strings.Split(string(status), "\n") {
			if f := strings.Fields(line); len(f) > 2 && f[0] == "NSpid:" {
				in, err1 := strconv.Atoi(f[len(f)-1])
				out1, err2 := strconv.Atoi(f[1])
				if errors.Join(err1, err2) == nil {
					out[in] = out1
				}
			}
		}
	}
	return out
}

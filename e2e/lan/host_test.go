package lan

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hosts makes n hosts on a switch; they are gone after the test.
func hosts(t *testing.T, n int) (*Switch, []*Host) {
	t.Helper()
	if _, err := os.Stat("/dev/net/tun"); err != nil || os.Getuid() != 0 {
		if os.Getenv("PROFFER_TEST_NOSKIP") != "" {
			t.Fatal("root and /dev/net/tun are needed, and nothing may skip here")
		}
		t.Skip("needs root and /dev/net/tun")
	}
	sw := NewSwitch(1)
	t.Cleanup(sw.Close)
	var all []*Host
	for i := range n {
		h, err := NewHost(sw, fmt.Sprintf("h%d", i), netip.AddrFrom4([4]byte{10, 77, 0, byte(11 + i)}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(h.Close)
		all = append(all, h)
	}
	return sw, all
}

// echo answers each line with itself, on a host.
func echo(t *testing.T, h *Host) string {
	t.Helper()
	l, err := h.Listen("tcp", h.Addr.String()+":7000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

// ask tells whether a line comes back in time.
func ask(conn net.Conn, bound time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(bound)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && line != "hello\n" {
		err = fmt.Errorf("it says %q", line)
	}
	return err
}

func TestHosts(t *testing.T) {
	sw, all := hosts(t, 2)
	addr := echo(t, all[0])
	conn, err := all[1].Dial(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := ask(conn, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	// Some machines are in networks that answer for every address; not with an echo.
	if c, err := net.DialTimeout("tcp", addr, 100*time.Millisecond); err == nil {
		if ask(c, 100*time.Millisecond) == nil {
			t.Error("the machine itself is in the network")
		}
		_ = c.Close()
	}
	sw.Between([]string{"h0"}, []string{"h1"}, Link{Cut: true})
	if err := ask(conn, 100*time.Millisecond); err == nil {
		t.Error("a cut carries")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if c, err := all[1].Dial(ctx, "tcp", addr); err == nil {
		_ = c.Close()
		t.Error("a cut connects")
	}
	sw.Heal()
	if err := ask(conn, 10*time.Second); err != nil {
		t.Errorf("a connection does not go on after a cut: %v", err)
	}
	sw.Between([]string{"h0"}, []string{"h1"}, Link{Delay: 30 * time.Millisecond})
	began := time.Now()
	if err := ask(conn, 10*time.Second); err != nil || time.Since(began) < 60*time.Millisecond {
		t.Errorf("with a delay of 30 ms each way: %v after %v", err, time.Since(began))
	}
}

// TestHostEnds: what a host has started is gone with it, at any depth, and nothing of it
// is seen from outside before.
func TestHostEnds(t *testing.T) {
	_, all := hosts(t, 1)
	h := all[0]
	cmd := exec.Command("sh", "-c", "setsid sh -c 'sleep 1000 & echo $! $$ $(ls -d /proc/[0-9]* | wc -l); wait' & wait")
	says, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(says).ReadString('\n')
	f := strings.Fields(line)
	if err != nil || len(f) != 3 {
		t.Fatalf("%q, %v", line, err)
	}
	if n, err := strconv.Atoi(f[2]); err != nil || n > 10 {
		t.Errorf("it sees %s processes: %v", f[2], err)
	}
	inner, err := strconv.Atoi(f[0])
	if err != nil {
		t.Fatal(err)
	}
	outer := h.PIDs()[inner]
	if outer == 0 || syscall.Kill(outer, 0) != nil {
		t.Fatalf("its process %d is none here: %v", inner, h.PIDs())
	}
	links, err := exec.Command("ip", "link").Output()
	if err == nil && strings.Contains(string(links), "tap") {
		t.Errorf("the machine has its device: %s", links)
	}
	h.Close()
	h.Close()
	_ = cmd.Wait()
	for deadline := time.After(5 * time.Second); ; {
		if data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", outer)); err != nil || strings.Contains(string(data), ") Z ") {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatal("a process outlives its host")
		}
	}
}

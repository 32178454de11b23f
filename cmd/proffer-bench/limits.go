package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The sizes of the yardsticks.
const (
	forks      = 2000
	lanes      = 2
	fsyncs     = 400
	httpRounds = 5000
)

// limits measures the yardsticks F, Fc, S and H of this machine.
func limits(ctx context.Context, o options) ([]row, error) {
	rows := []row{forkYardstick("F")}
	if r, err := forkInGroups(); err != nil {
		rows = append(rows, row{ID: "Fc", What: "fork+exec in a v1 cgroup", Note: "not measured: " + err.Error()})
	} else {
		rows = append(rows, r)
	}
	s, err := fsyncYardstick(o.dir)
	if err != nil {
		return rows, err
	}
	h, err := httpYardstick()
	if err != nil {
		return rows, err
	}
	return append(rows, s, h), nil
}

// forkYardstick is F: fork+exec+wait of /bin/true on two lanes.
func forkYardstick(id string) row {
	begin, cpu := time.Now(), cpuOf(syscall.RUSAGE_CHILDREN)+cpuOf(syscall.RUSAGE_SELF)
	inLanes(func(int) { _ = exec.Command("/bin/true").Run() })
	wall := time.Since(begin)
	used := cpuOf(syscall.RUSAGE_CHILDREN) + cpuOf(syscall.RUSAGE_SELF) - cpu
	return row{ID: id, What: fmt.Sprintf("fork+exec+wait of /bin/true, %d lanes, n=%d", lanes, forks),
		Figure: forks / wall.Seconds(), Unit: "/s", Note: fmt.Sprintf("%.2f CPU-ms each; load %s", ms(used)/forks, loadAverage())}
}

func inLanes(work func(i int)) {
	var wg sync.WaitGroup
	for lane := range lanes {
		wg.Go(func() {
			for i := lane; i < forks; i += lanes {
				work(i)
			}
		})
	}
	wg.Wait()
}

// forkInGroups is Fc: the same, each in a v1 cpu and memory group of its own.
func forkInGroups() (row, error) {
	parents := []string{}
	for _, controller := range []string{"cpu", "memory"} {
		dir := filepath.Join("/sys/fs/cgroup", controller, "proffer-bench-"+strconv.Itoa(os.Getpid()))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return row{}, err
		}
		defer os.Remove(dir)
		parents = append(parents, dir)
	}
	begin, cpu := time.Now(), cpuOf(syscall.RUSAGE_CHILDREN)+cpuOf(syscall.RUSAGE_SELF)
	inLanes(func(i int) { inGroup(parents, strconv.Itoa(i)) })
	wall := time.Since(begin)
	used := cpuOf(syscall.RUSAGE_CHILDREN) + cpuOf(syscall.RUSAGE_SELF) - cpu
	return row{ID: "Fc", What: fmt.Sprintf("the same in v1 groups of its own (cpu, memory), n=%d", forks),
		Figure: forks / wall.Seconds(), Unit: "/s", Note: fmt.Sprintf("%.2f CPU-ms each", ms(used)/forks)}, nil
}

func inGroup(parents []string, name string) {
	limit := []string{"cpu.shares", "102"}
	for i, p := range parents {
		dir := filepath.Join(p, name)
		_ = os.Mkdir(dir, 0o755)
		if i == 1 {
			limit = []string{"memory.limit_in_bytes", "33554432"}
		}
		_ = os.WriteFile(filepath.Join(dir, limit[0]), []byte(limit[1]), 0)
	}
	cmd := exec.Command("/bin/true")
	if cmd.Start() == nil {
		for _, p := range parents {
			_ = os.WriteFile(filepath.Join(p, name, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0)
		}
		_ = cmd.Wait()
	}
	for _, p := range parents {
		_ = os.Remove(filepath.Join(p, name))
	}
}

// fsyncYardstick is S: append and fsync of 256 bytes, one lane.
func fsyncYardstick(dir string) (row, error) {
	f, err := os.CreateTemp(dir, "proffer-bench-fsync-")
	if err != nil {
		return row{}, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	record := bytes.Repeat([]byte{'x'}, 256)
	begin := time.Now()
	for range fsyncs {
		if _, err := f.Write(record); err != nil {
			return row{}, err
		}
		if err := f.Sync(); err != nil {
			return row{}, err
		}
	}
	return row{ID: "S", What: "append of 256 B + fsync, 1 lane", Figure: fsyncs / time.Since(begin).Seconds(), Unit: "/s"}, nil
}

// httpYardstick is H: an HTTP echo of 512 bytes over loopback, one connection.
func httpYardstick() (row, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return row{}, err
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }), ReadHeaderTimeout: time.Second}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	body := strings.Repeat("x", 512)
	begin, cpu := time.Now(), cpuOf(syscall.RUSAGE_SELF)
	for range httpRounds {
		resp, err := http.Post("http://"+l.Addr().String(), "text/plain", strings.NewReader(body))
		if err != nil {
			return row{}, err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	used := cpuOf(syscall.RUSAGE_SELF) - cpu
	return row{ID: "H", What: "HTTP echo of 512 B, client and server in one process", Figure: httpRounds / time.Since(begin).Seconds(),
		Unit: "/s", Note: fmt.Sprintf("%.0f CPU-us each", 1000*ms(used)/httpRounds)}, nil
}

// cpuOf is the user and system time of this process or of its reaped children.
func cpuOf(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}

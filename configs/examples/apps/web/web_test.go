package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is the service as well.
func TestMain(m *testing.M) {
	if os.Getenv("PORT0") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// instance is a running service and the address at which it answers.
type instance struct {
	cmd *exec.Cmd
	url string
}

func start(t *testing.T, env ...string) *instance {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, "HOST="+host, "PORT0="+port, "MARATHON_INSTANCE_INDEX=2", "MARATHON_APP_VERSION=v1")...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	i := &instance{cmd, "http://" + net.JoinHostPort(host, port)}
	for late := time.After(20 * time.Second); ; {
		_, _, err := i.get("/")
		if err == nil {
			return i
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-late:
			t.Fatal(err)
		}
	}
}

func (i *instance) get(path string) (int, string, error) {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get(i.url + path)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestAnswersAndHealth(t *testing.T) {
	sick := filepath.Join(t.TempDir(), "sick")
	i := start(t, "SICK="+sick)
	if status, body, err := i.get("/any"); err != nil || status != 200 || body != "2\n" {
		t.Errorf("it answers %d %q, %v", status, body, err)
	}
	if status, _, err := i.get("/health"); err != nil || status != 200 {
		t.Errorf("its health is %d, %v", status, err)
	}
	if err := os.WriteFile(sick, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, err := i.get("/health"); err != nil || status != 503 {
		t.Errorf("its health is %d, %v", status, err)
	}
}

// After SIGTERM new connections are served until the grace ends, and the truth file
// tells of both ends.
func TestServesUntilItsGraceEnds(t *testing.T) {
	truth := filepath.Join(t.TempDir(), "truth")
	i := start(t, "TRUTH="+truth, "GRACE=300ms")
	if err := i.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	for time.Since(asked) < 200*time.Millisecond {
		if _, body, err := i.get("/"); err != nil || body != "2\n" {
			t.Fatalf("%v after SIGTERM it answers %q, %v", time.Since(asked), body, err)
		}
	}
	if err := i.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	f, err := os.Open(truth)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := []string{"start", "end"}
	for s := bufio.NewScanner(f); s.Scan(); want = want[1:] {
		if len(want) == 0 || !strings.HasPrefix(s.Text(), fmt.Sprintf("%s pid=%d born=", want[0], i.cmd.Process.Pid)) || !strings.HasSuffix(s.Text(), " version=v1") {
			t.Fatalf("the truth is %q, want %v", s.Text(), want)
		}
	}
	if len(want) > 0 {
		t.Errorf("the truth lacks %v", want)
	}
}

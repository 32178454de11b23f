package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// get asks one of the cluster's daemons, with headers, and gives the status.
func get(t *testing.T, url string, header http.Header) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestAccess: without a credential only /health answers; Host and Origin are checked; a
// token is taken as Bearer and as the password of Basic.
func TestAccess(t *testing.T) {
	c := startCluster(t)
	info, err := os.Stat(filepath.Join(c.dir, "token"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token file: %v %v", info, err)
	}
	bearer := "Bearer " + c.token()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("anyone:"+c.token()))
	for _, daemon := range []string{c.addr(), fmt.Sprintf("127.0.0.1:%d", 5051+c.offset)} {
		for _, row := range []struct {
			path   string
			header http.Header
			want   int
		}{
			{"/health", nil, 200},
			{"/version", nil, 401},
			{"/metrics", nil, 401},
			{"/version", http.Header{"Authorization": {bearer}}, 200},
			{"/metrics", http.Header{"Authorization": {bearer}}, 200},
			{"/version", http.Header{"Authorization": {basic}}, 200},
			{"/version", http.Header{"Authorization": {"Bearer nonsense"}}, 401},
			{"/version", http.Header{"Authorization": {bearer}, "Host": {"evil.example"}}, 403},
			{"/version", http.Header{"Authorization": {bearer}, "Origin": {"http://evil.example"}}, 403},
		} {
			if got := get(t, "http://"+daemon+row.path, row.header); got != row.want {
				t.Errorf("%s%s with %v: %d, not %d", daemon, row.path, row.header, got, row.want)
			}
		}
	}
	if r := c.try("ps", "--token", "nonsense"); r.code != 4 {
		t.Errorf("the client with a wrong token: %+v", r)
	}
}

// TestInsecure: no credentials at all, said at every start.
func TestInsecure(t *testing.T) {
	c := startCluster(t, append(booted(), "--insecure", "--resources", "cpus:1;mem:1024;ports:[0-99]")...)
	if !strings.Contains(strings.ToLower(c.talk()), "insecure") {
		t.Errorf("the start does not say that it is insecure: %s", c.talk())
	}
	if got := get(t, "http://"+c.addr()+"/version", nil); got != 200 {
		t.Errorf("/version: %d", got)
	}
	if r := c.try("run", "--", "echo", "open"); r.out != "open\n" {
		t.Errorf("got %+v", r)
	}
	file := filepath.Join(t.TempDir(), "open.yaml")
	if err := os.WriteFile(file, []byte("id: /open\ncmd: "+strconv.Quote(c.pidWriter("open"))+"\ncpus: 0.1\nmem: 16\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.run("service", "deploy", file)
	if pids := c.lines("open"); len(pids) != 1 || !alive(pids[0]) {
		t.Errorf("a service of a cluster without credentials: %v", pids)
	}
	if got := get(t, "http://"+c.addr()+"/service/marathonish/v2/apps/open", nil); got != 200 {
		t.Errorf("the service, through the gateway: %d", got)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "token")); err == nil {
		t.Error("a cluster without credentials has made a token")
	}
}

// TestNoKey: a second agent, a gossip member and a raft peer without the key, or of another
// cluster that has the same key, are refused, each with a sentence. An agent whose clock is
// hours off is let in, and that is told.
func TestNoKey(t *testing.T) {
	c := startCluster(t)
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // else the agent ends: the task user could not reach its directory
		t.Fatal(err)
	}
	other := filepath.Join(dir, "key")
	if err := os.WriteFile(other, []byte(strings.Repeat("ab", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, peer := range map[string]struct {
		flags               []string
		agent, gossip, raft string // what each is told
	}{
		"another key": {[]string{"--key", other}, "not signed with this cluster's key", "this member's key is not the cluster's", "refused: you do not have this cluster's key"},
		"no key":      {[]string{"--insecure"}, "401 Unauthorized. No credential: send a token", "the cluster has a key and this member was started without it", "refused: you do not have this cluster's key"},
		"from another cluster": {[]string{"--key", filepath.Join(c.dir, "key"), "--cluster", "other"}, `the agent was started for the cluster \"other\", this one is \"proffer\"`,
			`its cluster is not called \"other\"`, `a master of the cluster \"proffer\", you were started for \"other\"`},
	} {
		t.Run(name, func(t *testing.T) {
			agent := exec.Command(filepath.Join(binaries, "proffer"), append([]string{"agent", "--dir", filepath.Join(dir, "agent"+name[:2]), "--bind", "127.0.0.1",
				"--port", strconv.Itoa(5091 + c.offset), "--gossip-port", strconv.Itoa(7987 + c.offset), "--masters", c.addr(),
				"--join", fmt.Sprintf("127.0.0.1:%d", 7946+c.offset), "--no-cgroups", "--kill-tasks-on-stop"}, peer.flags...)...)
			said := watch(t, agent)
			eventually(t, 20*time.Second, "the agent and the gossip member are refused with a sentence", func() bool {
				return strings.Contains(said(), peer.agent) && strings.Contains(said(), peer.gossip)
			})
			master := exec.Command(filepath.Join(binaries, "proffer"), append([]string{"master", "--dir", filepath.Join(dir, "master"+name[:2]), "--bind", "127.0.0.1",
				"--port", strconv.Itoa(5090 + c.offset), "--raft-port", strconv.Itoa(5092 + c.offset), "--gossip-port", strconv.Itoa(7986 + c.offset),
				"--raft-join", fmt.Sprintf("127.0.0.1:%d", 5052+c.offset)}, peer.flags...)...)
			raft := watch(t, master)
			eventually(t, 20*time.Second, "the raft peer is refused with a sentence", func() bool {
				return strings.Contains(raft(), peer.raft)
			})
		})
	}
	if list := c.run("agent", "list"); strings.Count(list, "127.0.0.1") != 1 {
		t.Errorf("agent list: %s", list)
	}
	late := watch(t, exec.Command(filepath.Join(binaries, "proffer"), "agent", "--dir", filepath.Join(dir, "late"), "--bind", "127.0.0.1", "--port", strconv.Itoa(5091+c.offset),
		"--gossip-port", "0", "--masters", c.addr(), "--key", filepath.Join(c.dir, "key"), "--no-cgroups", "--kill-tasks-on-stop", "--test-clock-offset", "-3h", "--attributes", "clock:late"))
	eventually(t, 20*time.Second, "status tells of the clock", func() bool { return strings.Contains(c.run("status"), "by -3h0m0s") })
	eventually(t, 5*time.Second, "and its own log", func() bool { return strings.Contains(late(), "the clock of this machine is far from") })
}

// watch starts a command and gives what it has said so far; it dies with the test.
func watch(t *testing.T, cmd *exec.Cmd) func() string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "said")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // an agent takes its launcher along
		late := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		late.Stop()
		f.Close()
	})
	return func() string { return read(t, name) }
}

// TestFrameworkCredentials: a framework started with a token finds it, has a user of its
// own, and a task of another user can neither read the token nor signal its holder.
func TestFrameworkCredentials(t *testing.T) {
	needRoot(t)
	c := startCluster(t)
	holder := filepath.Join(c.truth, "holder")
	task := strings.TrimSpace(c.run("run", "--detach", "--framework", "counter", "--", "sh", "-c",
		`echo $$ $(id -u) $PROFFER_TOKEN_FILE $PROFFER_ADDR > `+holder+`.new; cp $PROFFER_TOKEN_FILE `+c.truth+`/copied; chmod 600 `+c.truth+`/copied; mv `+holder+`.new `+holder+`; sleep 1000`))
	eventually(t, 10*time.Second, "the framework tells what it has", func() bool { return read(t, holder) != "" })
	f := strings.Fields(read(t, holder))
	if len(f) != 4 || f[1] == "0" || f[1] == "65534" {
		t.Fatalf("pid, uid, token file and address: %v", f)
	}
	info, err := os.Stat(f[2])
	if err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("the token file: %v, %v", info, err)
	}
	token := strings.TrimSpace(read(t, filepath.Join(c.truth, "copied")))
	revive := []byte(`{"type":"REVIVE","framework_id":{"value":"none"}}`)
	if status, text := postAs(t, c, token, "/api/v1/scheduler", "application/json", "", revive); status != 400 {
		t.Errorf("the framework's token while its task lives: %d %s", status, text)
	}
	thief := c.try("run", "--", "sh", "-c", fmt.Sprintf(`cat %s || echo no token; kill -TERM %s || echo no signal; cat /proc/%s/environ >/dev/null || echo no environment`, f[2], f[0], f[0]))
	for _, want := range []string{"no token", "no signal", "no environment"} {
		if !strings.Contains(thief.out, want) {
			t.Errorf("a task of another user: %+v", thief)
		}
	}
	c.run("kill", "--grace", "100ms", task)
	if status, text := postAs(t, c, token, "/api/v1/scheduler", "application/json", "", revive); status != 401 || !strings.Contains(text, "ended") {
		t.Errorf("the token after its task: %d %s", status, text)
	}
	if secrets := grep(t, c.dir, token); len(secrets) > 0 {
		t.Errorf("the token stands in %v", secrets)
	}
}

// grep lists the files below dir that hold a text.
func grep(t *testing.T, dir, text string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if data, err := os.ReadFile(path); err == nil && strings.Contains(string(data), text) {
				out = append(out, path)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTaskUser: tasks are nobody's unless a principal has the right to another user.
func TestTaskUser(t *testing.T) {
	needRoot(t)
	c := startCluster(t, "--allow-user", "operator:root")
	if r := c.try("run", "--", "id", "-u"); strings.TrimSpace(r.out) != "65534" {
		t.Errorf("no user asked for: %+v", r)
	}
	if r := c.try("run", "--user", "root", "--", "id", "-u"); strings.TrimSpace(r.out) != "0" {
		t.Errorf("root with the right: %+v", r)
	}
	other := startCluster(t)
	r := other.try("run", "--user", "root", "--", "id", "-u")
	if strings.TrimSpace(r.out) != "65534" {
		t.Errorf("root without the right: %+v", r)
	}
	s := startStream(t, other, "user")
	task := sdk.TaskInfo{Name: "root", TaskID: "root", Command: &sdk.CommandInfo{Value: "true", User: "root"}, Resources: []sdk.Resource{scalar("cpus", 0.1), scalar("mem", 32)}}
	s.addTask(task)
	s.wait("root", 10*time.Second, ended)
	said := ""
	for _, st := range s.all("root") {
		said += st.Message + "; "
	}
	if !strings.Contains(said, "nobody") {
		t.Errorf("no status says which user it was: %s", said)
	}
}

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// exampleApp is the definition of an example, its @NAMES@ replaced.
func exampleApp(t *testing.T, file string, names map[string]string) map[string]any {
	t.Helper()
	text := read(t, filepath.Join("..", "configs", "examples", file))
	for name, value := range names {
		text = strings.ReplaceAll(text, "@"+name+"@", value)
	}
	var app map[string]any
	if err := json.Unmarshal([]byte(text), &app); err != nil || strings.Contains(text, "@") {
		t.Fatalf("%s: %v\n%s", file, err, text)
	}
	return app
}

// TestFrameworksAsServices deploys the example frameworks by marathonish, with credentials
// of their own, and kills each of them three times while it works: the counter's tasks are
// counted once each, the word count agrees with a direct count, and neither sees the other's
// store space.
func TestFrameworksAsServices(t *testing.T) {
	needTool(t, "python3")
	c := startCluster(t, append(booted(), "--agents", "2", "--resources", "cpus:4;mem:4096;disk:1024;ports:[29000-29049]", "--resources", "cpus:4;mem:4096;disk:1024;ports:[29050-29099]")...)
	m := newMarathon(c)
	m.await()

	program := filepath.Join(c.truth, "wordcount")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir, build.Env = "../configs/examples/frameworks/wordcount", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	script, lines := filepath.Join(c.truth, "counter.py"), filepath.Join(c.truth, "lines")
	if err := os.WriteFile(script, []byte(read(t, "../configs/examples/frameworks/python/counter.py")), 0o644); err != nil {
		t.Fatal(err)
	}
	const count = 24
	counter := exampleApp(t, "frameworks/python/counter.json", map[string]string{"COUNTER": script})
	counter["env"] = map[string]string{"COUNT": fmt.Sprint(count), "COMMAND": "sleep 1; echo $NUMBER >> " + lines}
	words := exampleApp(t, "frameworks/wordcount/wordcount.json", map[string]string{"WORDCOUNT": program, "GOROOT": strings.TrimSpace(string(goroot))})
	for _, app := range []map[string]any{counter, words} {
		app["backoffSeconds"] = 0
		m.must(http.MethodPut, "/v2/apps"+app["id"].(string), app, nil)
	}

	killed := map[int]bool{}
	for range 3 {
		for _, part := range []string{"counter.py", "wordcount -stay"} {
			eventually(t, 20*time.Second, part+" works again", func() bool {
				for _, pid := range c.pids(part) {
					if !killed[pid] && alive(pid) && worked(pid) {
						killed[pid] = syscall.Kill(pid, syscall.SIGKILL) == nil
						return killed[pid]
					}
				}
				return false
			})
		}
	}
	eventually(t, time.Minute, "every task of the counter has written its line", func() bool {
		return len(strings.Fields(read(t, lines))) >= count
	})
	eventually(t, time.Minute, "the word count agrees", func() bool {
		return strings.Contains(c.try("service", "logs", "wordcount").out, "as in a direct count")
	})
	eventually(t, time.Minute, "the counter has counted all", func() bool {
		return strings.Contains(c.try("service", "logs", "counter").out+c.try("service", "logs", "-p", "counter").out, fmt.Sprintf("%d of %d are done", count, count))
	})
	spaceIsClosed(t, c)
	wrote := strings.Fields(read(t, lines))
	slices.Sort(wrote)
	if len(slices.Compact(slices.Clone(wrote))) != count || len(wrote) != count {
		t.Errorf("the tasks wrote %q", wrote)
	}
}

// spaceIsClosed tries, with the credential that the counter's task has, to read the word
// count's space: the counter's own is open to it, the other is not.
func spaceIsClosed(t *testing.T, c *cluster) {
	t.Helper()
	pids := c.pids("counter.py")
	if len(pids) == 0 {
		t.Fatal("the counter does not run")
	}
	file := ""
	for _, pair := range strings.Split(read(t, fmt.Sprintf("/proc/%d/environ", pids[0])), "\x00") {
		if name, found := strings.CutPrefix(pair, "PROFFER_TOKEN_FILE="); found {
			file = name
		}
	}
	for body, want := range map[string]int{
		`{"type":"LIST","space":"counter","list":{}}`:                           http.StatusOK,
		`{"type":"LIST","space":"wordcount","principal":"wordcount","list":{}}`: http.StatusForbidden,
	} {
		req, err := http.NewRequest(http.MethodPost, "http://"+c.addr()+"/api/v1/store", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json")
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(read(t, file)))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s with the credential of the counter: %s", body, resp.Status)
		}
	}
}

// worked tells whether a framework has been at it for a moment: a kill before its first
// call would try nothing.
func worked(pid int) bool {
	stat, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil && time.Since(stat.ModTime()) > 400*time.Millisecond
}

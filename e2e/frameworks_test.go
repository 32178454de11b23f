package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	c := startCluster(t, append(booted(), "--agents", "2", "--resources", "cpus:4;mem:4096;disk:1024;ports:[0-49]", "--resources", "cpus:4;mem:4096;disk:1024;ports:[50-99]")...)
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
	for round := range 3 {
		for _, part := range []string{"counter.py", "wordcount -stay"} {
			if round > 0 && part != "counter.py" { // in the middle of it
				eventually(t, 30*time.Second, "the word count has a mapper's results", func() bool { return mapped(c) })
			}
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
	said := ""
	eventually(t, time.Minute, "the word count agrees", func() bool {
		said = c.try("service", "logs", "wordcount").out
		return strings.Contains(said, "as in a direct count")
	})
	if !regexp.MustCompile(`life [2-9]: [1-9]\d* of 12 jobs are done`).MatchString(said) {
		t.Errorf("the word count does not go on where it was: %s", said)
	}
	eventually(t, time.Minute, "the counter has counted all", func() bool { return counted(c) == count })
	closedToEachOther(t, c, c.one("counter.py"), c.one("wordcount -stay"))
	wrote := strings.Fields(read(t, lines))
	slices.Sort(wrote)
	if len(slices.Compact(slices.Clone(wrote))) != count || len(wrote) != count {
		t.Errorf("the tasks wrote %q", wrote)
	}
}

// counted is how many tasks of the counter are done, as it keeps it in the store.
func counted(c *cluster) (done int) {
	c.t.Helper()
	_, text := (space{c, c.token(), `"principal":"counter",`, "counter"}).call("LIST", `{"prefix":"task/"}`)
	var answer struct {
		KVs []struct {
			Value []byte `json:"value"`
		} `json:"kvs"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return 0 // no master leads now
	}
	for _, kv := range answer.KVs {
		if strings.Contains(string(kv.Value), `"is": "done"`) {
			done++
		}
	}
	return done
}

// mapped tells whether the store has all that one of the word count's mappers has counted.
func mapped(c *cluster) bool {
	c.t.Helper()
	s := space{c, c.token(), `"principal":"wordcount",`, "wordcount"}
	for mapper := range 8 {
		parts := 0
		for reducer := range 4 {
			status, _ := s.call("GET", fmt.Sprintf(`{"key":"out/map-%d/%d"}`, mapper, reducer))
			if status != http.StatusOK {
				break
			}
			parts++
		}
		if parts == 4 {
			return true
		}
	}
	return false
}

// closedToEachOther tries, with the credentials that the frameworks' tasks have, to use the
// other's space: each has its own, and neither opens the other's.
func closedToEachOther(t *testing.T, c *cluster, counter, wordcount int) {
	t.Helper()
	for own, pid := range map[string]int{"counter": counter, "wordcount": wordcount} {
		other := map[string]string{"counter": "wordcount", "wordcount": "counter"}[own]
		token := strings.TrimSpace(read(t, environOf(t, pid, "PROFFER_TOKEN_FILE")))
		if status, text := (space{c, token, "", own}).call("LIST", `{}`); status != 200 || !strings.Contains(text, `"kvs"`) {
			t.Errorf("%s reads its own space: %d %s", own, status, text)
		}
		if status, text := (space{c, token, "", other}).call("GET", `{"key":"framework"}`); status != 404 {
			t.Errorf("%s reads a space of the name %s: %d %s", own, other, status, text)
		}
		for _, call := range [][2]string{{"GET", `{"key":"framework"}`}, {"LIST", `{}`}, {"COMMIT", `{"then":[{"type":"DELETE_PREFIX","key":""}]}`}, {"WATCH", `{}`}} {
			if status, text := (space{c, token, `"principal":"` + other + `",`, other}).call(call[0], call[1]); status != 403 {
				t.Errorf("%s calls %s in the space of %s: %d %s", own, call[0], other, status, text)
			}
		}
		if status, text := askWith(t, "http://"+c.addr()+"/service/marathonish/v2/apps", bearer(token)); status != 403 {
			t.Errorf("%s at marathonish: %d %s", own, status, text)
		}
	}
}

// environOf is a variable of a process.
func environOf(t *testing.T, pid int, name string) string {
	t.Helper()
	for _, pair := range strings.Split(read(t, fmt.Sprintf("/proc/%d/environ", pid)), "\x00") {
		if value, found := strings.CutPrefix(pair, name+"="); found {
			return value
		}
	}
	t.Fatalf("process %d has no %s", pid, name)
	return ""
}

// worked tells whether a framework has been at it for a moment: a kill before its first
// call would try nothing.
func worked(pid int) bool {
	stat, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil && time.Since(stat.ModTime()) > 400*time.Millisecond
}

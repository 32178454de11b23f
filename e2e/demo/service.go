package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/profferhq/proffer/e2e/load"
)

// deployWeb deploys the example's own definition and waits for it as a user does.
func (t *tour) deployWeb(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(example("apps", "web"), "web.json"))
	if err != nil {
		return err
	}
	t.web = strings.ReplaceAll(string(text), "@WEB@", t.program("web"))
	if err := t.deploy(ctx, t.web); err != nil {
		return err
	}
	_, err = t.instances(ctx)
	return err
}

// deploy gives a definition to `service deploy` and sees it through.
func (t *tour) deploy(ctx context.Context, definition string) error {
	cmd := t.command(ctx, "service", "deploy", "-")
	cmd.Stdin = strings.NewReader(definition)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("`service deploy`: %w:\n%s", err, out)
	}
	return nil
}

// webInstance is one instance of the web service, in its own words.
type webInstance struct {
	index, version string
	pid            int
}

// instances asks every healthy instance who it is: three there must be, each with an index
// of its own.
func (t *tour) instances(ctx context.Context) ([]webInstance, error) {
	tasks, err := t.tasks(ctx)
	if err != nil {
		return nil, err
	}
	healthy, err := load.Healthy(tasks)
	if err != nil {
		return nil, err
	}
	var out []webInstance
	var indexes []string
	for _, addr := range healthy {
		i, err := askWeb(ctx, addr)
		if err != nil {
			return nil, err
		}
		out, indexes = append(out, i), append(indexes, i.index)
	}
	slices.Sort(indexes)
	if !slices.Equal(indexes, []string{"0", "1", "2"}) {
		return nil, fmt.Errorf("the indexes of the healthy instances are %q", indexes)
	}
	return out, nil
}

// tasks reads the service's tasks through the gateway, as a balancer does.
func (t *tour) tasks(ctx context.Context) ([]byte, error) {
	token, err := t.token()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.tasksURL(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", t.tasksURL(), body)
	}
	return body, err
}

func (t *tour) tasksURL() string {
	return fmt.Sprintf("http://127.0.0.1:%d/v2/apps/web/tasks", 8080+t.offset)
}

func (t *tour) token() (string, error) {
	data, err := os.ReadFile(filepath.Join(t.state(), "token"))
	return strings.TrimSpace(string(data)), err
}

func askWeb(ctx context.Context, addr string) (webInstance, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		return webInstance{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return webInstance{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return webInstance{}, err
	}
	pid, err := strconv.Atoi(resp.Header.Get("X-Pid"))
	return webInstance{index: strings.TrimSpace(string(body)), version: resp.Header.Get("X-Version"), pid: pid}, err
}

// comeBack kills one instance and waits for the one that takes its place.
func (t *tour) comeBack(ctx context.Context) error {
	before, err := t.instances(ctx)
	if err != nil {
		return err
	}
	victim := before[0]
	if err := syscall.Kill(victim.pid, syscall.SIGKILL); err != nil {
		return err
	}
	return until(ctx, "an instance in the place of the killed one", func() bool {
		after, err := t.instances(ctx)
		if err != nil {
			return false // until it is back
		}
		return !slices.ContainsFunc(after, func(i webInstance) bool { return i.pid == victim.pid })
	})
}

// update deploys another version while clients ask for answers.
func (t *tour) update(ctx context.Context) error {
	token, err := t.token()
	if err != nil {
		return err
	}
	var definition map[string]any
	if err := json.Unmarshal([]byte(t.web), &definition); err != nil {
		return err
	}
	definition["env"] = map[string]string{"RELEASE": "2"}
	second, err := json.Marshal(definition)
	if err != nil {
		return err
	}
	asking, stop := context.WithCancel(ctx)
	defer stop()
	result, ended := load.Result{}, make(chan error, 1)
	go func() {
		var err error
		result, err = load.Run(asking, load.Options{Tasks: t.tasksURL(), Token: token})
		ended <- err
	}()
	err = t.deploy(ctx, string(second))
	if err == nil { // the new instances alone are asked for a moment
		err = until(ctx, "a moment more", after(500*time.Millisecond))
	}
	stop()
	if failed := <-ended; err == nil {
		err = failed
	}
	switch {
	case err != nil:
		return err
	case result.Failed > 0:
		return fmt.Errorf("%d of %d requests failed, the first so: %w", result.Failed, result.Requests, result.First)
	case len(result.Versions) != 2 || result.Requests < 100:
		return fmt.Errorf("%d requests saw the versions %v", result.Requests, result.Versions)
	}
	fmt.Printf("            %d requests, none failed: %v\n", result.Requests, result.Versions)
	return nil
}

// after gives a condition that holds from then on.
func after(d time.Duration) func() bool {
	at := time.Now().Add(d)
	return func() bool { return time.Now().After(at) }
}

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// booted are the arguments of a cluster that starts marathonish, as any other does.
func booted() []string { return []string{"--boot", "", "--system-headroom", "cpus:0.2;mem:192"} }

// marathon is a client of marathonish: the few calls that the benches need.
type marathon struct{ *rest }

func newMarathon(u *upCluster) *marathon { return &marathon{newRest(u, "marathonish")} }

// benchApp is an app of the benches: the fields that they set.
type benchApp struct {
	ID             string            `json:"id"`
	Cmd            string            `json:"cmd"`
	Instances      int               `json:"instances"`
	CPUs           float64           `json:"cpus"`
	Mem            float64           `json:"mem"`
	Env            map[string]string `json:"env,omitempty"`
	Ports          []int             `json:"ports"`
	RequirePorts   bool              `json:"requirePorts,omitempty"`
	BackoffSeconds *int              `json:"backoffSeconds,omitempty"`
	HealthChecks   []benchCheck      `json:"healthChecks,omitempty"`
}

type benchCheck struct {
	Protocol           string `json:"protocol"`
	Path               string `json:"path"`
	PortIndex          int    `json:"portIndex"`
	IntervalSeconds    int    `json:"intervalSeconds"`
	GracePeriodSeconds int    `json:"gracePeriodSeconds"`
}

// healthyCount is an app as far as the benches look at it.
type healthyCount struct {
	ID      string `json:"id"`
	Healthy int    `json:"tasksHealthy"`
}

// healthy tells how many instances of an app are healthy.
func (m *marathon) healthy(ctx context.Context, id string) (int, error) {
	var a struct {
		App healthyCount `json:"app"`
	}
	err := m.call(ctx, http.MethodGet, "/v2/apps"+id, nil, &a)
	return a.App.Healthy, err
}

// poll tries until it succeeds, every so often, bound at the most.
func poll(ctx context.Context, bound, every time.Duration, what string, try func() error) error {
	begin := time.Now()
	for {
		err := try()
		if err == nil {
			return nil
		}
		if time.Since(begin) > bound {
			return fmt.Errorf("after %s still not: %s: %w", bound, what, err)
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// answers asks a service's port once, on a fresh connection.
func answers(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}

// fresh is a client whose every request is on a connection of its own.
func fresh() *http.Client {
	return &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
}

// buildWeb builds the example web service into dir: the bench runs in a checkout.
func buildWeb(ctx context.Context, dir string) (string, error) {
	out := filepath.Join(dir, "web")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, ".")
	cmd.Dir = "configs/examples/apps/web" // a module of its own
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the example web service (run the bench in the checkout): %w: %s", err, text)
	}
	return out, os.Chmod(out, 0o755)
}

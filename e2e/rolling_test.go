package e2e

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/profferhq/proffer/e2e/load"
)

// TestRollingUpdateUnderLoad: the instances end the moment that they get SIGTERM. As long as
// one is shown as TASK_KILLING for a second before that, whoever reads the healthy instances
// as a balancer does loses no request; without that second some are lost.
func TestRollingUpdateUnderLoad(t *testing.T) {
	c := startCluster(t, append(booted(), "--agents", "2")...)
	m := newMarathon(c)
	m.await()
	for name, lost := range map[string]bool{"1": false, "0": true} {
		t.Run("drain of "+name, func(t *testing.T) {
			id := "/drain" + name
			deploy := func(release string) {
				m.must(http.MethodPut, "/v2/apps"+id, map[string]any{
					"cmd": "exec " + webService(t), "instances": 3, "cpus": 0.05, "mem": 32, "ports": []int{0},
					"env":             map[string]string{"RELEASE": release, "GRACE": "0s"},
					"labels":          map[string]string{"PROFFER_DRAIN_SECONDS": name},
					"healthChecks":    []any{map[string]any{"protocol": "HTTP", "path": "/health", "intervalSeconds": 2, "gracePeriodSeconds": 10}},
					"upgradeStrategy": map[string]any{"minimumHealthCapacity": 1, "maximumOverCapacity": 0.5},
				}, nil)
				eventually(t, time.Minute, "three healthy instances and no deployment", func() bool {
					a := m.app(id).App
					return a.Healthy == 3 && len(a.Tasks) == 3 && len(a.Deployments) == 0
				})
			}
			deploy("1")
			ctx, stop := context.WithCancel(t.Context())
			type outcome struct {
				load.Result
				err error
			}
			ended := make(chan outcome, 1)
			go func() {
				r, err := load.Run(ctx, load.Options{Tasks: "http://" + c.addr() + "/service/marathonish/v2/apps" + id + "/tasks", Token: c.token()})
				ended <- outcome{r, err}
			}()
			deploy("2")
			stop()
			r := <-ended
			t.Logf("%d requests, %d failed: %v", r.Requests, r.Failed, r.Versions)
			if r.err != nil || r.Requests < 30 || lost != (r.Failed > 0) {
				t.Errorf("of %d requests %d failed, the first so: %v (%v)", r.Requests, r.Failed, r.First, r.err)
			}
			m.must(http.MethodDelete, "/v2/apps"+id, nil, nil)
		})
	}
}

package cgroup

import (
	"context"
	"os/exec"
	"strconv"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// BenchmarkContainer makes and removes the groups of a container in which nothing
// ran, which is what a container costs the agent.
func BenchmarkContainer(b *testing.B) {
	for _, mode := range []string{"tracking", "freezer"} {
		b.Run(mode, func(b *testing.B) {
			i := needGroups(b, func(o *Options) { o.NoTracking = mode == "freezer"; o.Parent = "proffer-test-bench" + mode })
			ctx := context.Background()
			n := 0
			for b.Loop() {
				n++
				c := task("c"+strconv.Itoa(n), map[string]float64{"cpus": 1, "mem": 64}, nil)
				var spec sdk.LaunchSpec
				if err := i.Prepare(ctx, c, &spec); err != nil {
					b.Fatal(err)
				}
				if err := i.Destroy(ctx, c); err != nil {
					b.Fatal(err)
				}
				if err := i.Cleanup(ctx, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLaunch adds what really counts: a process born inside, with the plain
// fork and exec as the yardstick.
func BenchmarkLaunch(b *testing.B) {
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			if err := exec.Command("/bin/true").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, mode := range []string{"tracking", "freezer"} {
		b.Run(mode, func(b *testing.B) {
			i := needGroups(b, func(o *Options) { o.NoTracking = mode == "freezer"; o.Parent = "proffer-test-launch" + mode })
			n := 0
			for b.Loop() {
				n++
				c := task("c"+strconv.Itoa(n), map[string]float64{"cpus": 1, "mem": 64}, nil)
				var spec sdk.LaunchSpec
				if err := i.Prepare(context.Background(), c, &spec); err != nil {
					b.Fatal(err)
				}
				cmd := born(b, &spec, "exec /bin/true")
				if err := cmd.Wait(); err != nil {
					b.Fatal(err)
				}
				finish(b, i, c, nil)
			}
		})
	}
}

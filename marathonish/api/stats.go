package api

import (
	"slices"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
)

// taskStats counts the tasks of an app by which of its versions they have. A group
// without tasks is left out.
type taskStats struct {
	StartedAfterLastScaling *statsGroup `json:"startedAfterLastScaling,omitempty"`
	WithLatestConfig        *statsGroup `json:"withLatestConfig,omitempty"`
	WithOutdatedConfig      *statsGroup `json:"withOutdatedConfig,omitempty"`
	TotalSummary            *statsGroup `json:"totalSummary,omitempty"`
}

type statsGroup struct {
	Stats struct {
		Counts   statsCounts `json:"counts"`
		LifeTime *lifeTime   `json:"lifeTime,omitempty"`
	} `json:"stats"`
}

type statsCounts struct {
	Staged    int `json:"staged"`
	Running   int `json:"running"`
	Healthy   int `json:"healthy"`
	Unhealthy int `json:"unhealthy"`
}

// lifeTime is for how long the tasks that have started have been running.
type lifeTime struct {
	AverageSeconds float64 `json:"averageSeconds"`
	MedianSeconds  float64 `json:"medianSeconds"`
}

func statistics(st fleet.AppStatus, now time.Time) *taskStats {
	group := func(of func(app.Version) bool) *statsGroup {
		return groupStats(slices.DeleteFunc(slices.Clone(st.Instances), func(i fleet.Instance) bool { return !of(i.Version) }), now)
	}
	return &taskStats{
		StartedAfterLastScaling: group(func(v app.Version) bool { return v >= st.App.LastScalingAt }),
		WithLatestConfig:        group(func(v app.Version) bool { return v >= st.App.LastConfigChangeAt }),
		WithOutdatedConfig:      group(func(v app.Version) bool { return v < st.App.LastConfigChangeAt }),
		TotalSummary:            group(func(app.Version) bool { return true }),
	}
}

func groupStats(tasks []fleet.Instance, now time.Time) *statsGroup {
	if len(tasks) == 0 {
		return nil
	}
	g := &statsGroup{}
	var lives []float64
	for _, i := range tasks {
		c := &g.Stats.Counts
		switch i.State {
		case "TASK_STAGING", "TASK_STARTING":
			c.Staged++
		case "TASK_RUNNING":
			c.Running++
		}
		switch {
		case i.Healthy == nil:
		case *i.Healthy:
			c.Healthy++
		default:
			c.Unhealthy++
		}
		if !i.StartedAt.IsZero() {
			lives = append(lives, max(0, now.Sub(i.StartedAt)).Seconds())
		}
	}
	if len(lives) > 0 {
		slices.Sort(lives)
		sum := 0.0
		for _, l := range lives {
			sum += l
		}
		half := len(lives) / 2
		median := lives[half]
		if len(lives)%2 == 0 {
			median = (lives[half-1] + lives[half]) / 2
		}
		g.Stats.LifeTime = &lifeTime{sum / float64(len(lives)), median}
	}
	return g
}

package scheduler

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// Program is what a framework brings; Load is needed.
type Program[M mind.Mind] struct {
	// Name is what errors and the log call it; empty for Options.Name.
	Name string
	// Load makes the mind of all that the store's space has, which earlier schedulers have
	// left there. Keys that it does not know are to be passed over: some are the scheduler's.
	// Its error ends Run.
	Load func(now time.Time, kvs []sdk.StoreKV) (M, error)
	// API is what is served, from the beginning of Run, before it leads; nil for nothing.
	// What verify makes of a handler lets in only what the gateway has signed, and knows the
	// caller (gateway.CallerOf): all that is served should stand behind it.
	API func(verify func(http.Handler) http.Handler) http.Handler
	// Perform does an effect of the framework's own, at the time of its step. It is called
	// by the goroutine that steps the mind, so it must not wait. nil: there are none.
	Perform func(now time.Time, e mind.Effect)
	// Deposed is called at the end of each leadership, when nothing is decided any more: who
	// follows what this scheduler decides is to ask again, and finds the one that leads. nil
	// for nothing.
	Deposed func()
	// Closing is called at the end, when nothing is decided any more and connections to the
	// API are to end: what holds them longer than a request should let go. nil for nothing.
	Closing func()
	// Metrics gets the scheduler's numbers (steps_total, launches_total, kills_total and
	// commit_seconds) and Gauges, those of the mind; nil for nobody.
	Metrics prometheus.Registerer
	Gauges  []Gauge[M]
}

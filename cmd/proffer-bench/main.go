// Command proffer-bench measures Proffer, and this machine beside it: every figure of the
// README's table is made by one of its subcommands.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// The yardsticks fork from locked threads as the product does.
func init() { runtime.LockOSThread() }

// row is one line of the report.
type row struct {
	ID      string  `json:"id"`     // perf-1, F, …
	What    string  `json:"what"`   // the workload
	Figure  float64 `json:"figure"` // in Unit
	Unit    string  `json:"unit"`
	Must    string  `json:"must,omitempty"`    // the goal, as text
	Verdict string  `json:"verdict,omitempty"` // met, missed, inconclusive, or empty for a yardstick
	Note    string  `json:"note,omitempty"`    // spread, CPU beside wall time, load
}

// must compares a figure with a bound and fills in the verdict.
func (r row) atMost(bound float64) row  { return r.judge(r.Figure <= bound, "<= ", bound) }
func (r row) atLeast(bound float64) row { return r.judge(r.Figure >= bound, ">= ", bound) }

func (r row) judge(ok bool, sign string, bound float64) row {
	r.Must = fmt.Sprintf("%s%g %s", sign, bound, r.Unit)
	r.Verdict = "missed"
	if ok {
		r.Verdict = "met"
	}
	return r
}

// bench is one subcommand.
type bench struct {
	name, short string
	run         func(ctx context.Context, o options) ([]row, error)
}

// options are the flags of every bench.
type options struct {
	json  bool
	dir   string // for state; made fresh and removed
	bin   string // the proffer binary
	log   string // file for what the clusters say; empty for none
	tasks int

	agents   int // simulated ones
	launches int // of perf-10
	held     int // tasks of perf-12; 0 for ten an agent
	kills    int // of perf-25

	quiet time.Duration // how long alarms lasts

	profile string // of perf-25 and perf-18: this one only
}

func benches() []bench {
	return []bench{
		{"limits", "what this machine can do: fork and exec, cgroups, fsync, HTTP", limits},
		{"launch", "perf-1, 2, 4, 5 and the latency of `proffer run -- true`", launch},
		{"wire", "perf-24: an offer in every encoding", wireBench},
		{"service", "perf-16 and perf-17: services start, come back, are taken over", services},
		{"jobs", "perf-19, perf-20 and perf-22: how late jobs start, and what many of them cost", jobs},
		{"idle", "perf-6: what a whole cluster costs that has nothing to do", idle},
		{"writes", "perf-14: apps created by four clients", writes},
		{"crowd", "perf-10, 11 and 12: simulated agents in a farm, over the real protocol", crowd},
		{"failover", "perf-25: the leader of three masters is killed under launches, again and again", failover},
		{"losses", "perf-18: an agent dies and comes back, or does not", losses},
		{"alloc", "perf-7 and perf-8: the allocator", allocBench},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newRoot().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "proffer-bench:", err)
		os.Exit(1)
	}
}

func newRoot() *cobra.Command {
	o := options{}
	root := &cobra.Command{Use: "proffer-bench", Short: "Measure Proffer", SilenceUsage: true, SilenceErrors: true}
	f := root.PersistentFlags()
	f.BoolVar(&o.json, "json", false, "one JSON object a row")
	f.StringVar(&o.dir, "dir", "", "directory for state (default: a new one below the temporary directory)")
	f.StringVar(&o.bin, "proffer", "", "the proffer binary (default: beside this one)")
	f.StringVar(&o.log, "log", "", "file to append to what the clusters' processes say")
	f.IntVar(&o.tasks, "tasks", 1000, "tasks of perf-1 and perf-2")
	f.IntVar(&o.agents, "agents", 1000, "simulated agents of perf-10, 11, 12 and 25")
	f.IntVar(&o.launches, "launches", crowdTasks, "tasks of perf-10")
	f.IntVar(&o.held, "held", 0, "tasks of perf-12 (0: ten for each agent)")
	f.IntVar(&o.kills, "kills", failoverKills, "kills of the leader in perf-25, for each profile")
	f.DurationVar(&o.quiet, "for", 10*time.Minute, "how long alarms lasts")
	f.StringVar(&o.profile, "profile", "", "of perf-25 and perf-18: this profile only")
	all := benches()
	long := []bench{
		{"storm", "perf-12 alone", crowdStorm},
		{"gossip", "how many members the gossip carries here", gossips},
		{"alarms", "perf-18: agents given up by mistake on a busy machine", alarms},
	}
	for _, b := range append(all, long...) {
		root.AddCommand(&cobra.Command{Use: b.name, Short: b.short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return report(cmd.Context(), o, b) }})
	}
	root.AddCommand(&cobra.Command{Use: "all", Short: "every bench", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return report(cmd.Context(), o, all...) }})
	return root
}

// report runs benches and prints their rows as they come.
func report(ctx context.Context, o options, list ...bench) error {
	for _, b := range list {
		rows, err := b.run(ctx, o)
		for _, r := range rows {
			print(o, r)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
	}
	return nil
}

func print(o options, r row) {
	if o.json {
		line, err := json.Marshal(r)
		if err == nil {
			fmt.Println(string(line))
		}
		return
	}
	fmt.Printf("%-8s %-62s %12s %-14s %-8s %s\n", r.ID, r.What, figure(r.Figure)+" "+r.Unit, r.Must, r.Verdict, r.Note)
}

func figure(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 1:
		return fmt.Sprintf("%.2f", f)
	default:
		return strings.TrimRight(fmt.Sprintf("%.4f", f), "0")
	}
}

package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
)

func jobCommand(c *client) *cobra.Command {
	cmd := &cobra.Command{Use: "job", Short: "Jobs, which chronosish runs by schedule or after each other: create, list, get, run, history, logs, next, disable, enable, destroy", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(
		jobCreateCommand(c), jobListCommand(c), jobGetCommand(c), jobRunCommand(c), jobHistoryCommand(c),
		jobLogsCommand(c), jobNextCommand(c), jobDisableCommand(c), jobEnableCommand(c), jobDestroyCommand(c),
	)
	return cmd
}

// chronosName is the name and the principal of chronosish.
const chronosName = "chronosish"

// chronosBase is where it serves what Chronos 3.x does.
const chronosBase = "/v1/scheduler"

// jobs asks chronosish.
type jobs struct{ *services }

func (c *client) jobs() (*jobs, error) {
	s, err := c.through(chronosName, "`proffer service list` says how it stands")
	return &jobs{s}, err
}

// named is a call about one job. Chronos refuses one that is not there with 400, as it does
// what is wrong: only the sentence tells them apart.
func (j *jobs) named(ctx context.Context, op, method, path string, body []byte, into any) error {
	err := j.call(ctx, op, method, path, body, into)
	var e *sdk.Error
	if errors.As(err, &e) && e.Code == sdk.CodeInvalid && strings.HasPrefix(e.Message, "There is no job named ") {
		e.Code = sdk.CodeNotFound
	}
	return err
}

// jobPath is the path of a job by Chronos's API, or by what chronosish has beside it.
func jobPath(prefix, name, suffix string) (string, error) {
	if name == "" || strings.Contains(name, "/") {
		return "", usagef("%q is no job's name; `proffer job list` shows them", name)
	}
	return prefix + url.PathEscape(name) + suffix, nil
}

// job is what the client reads of a definition as chronosish shows it.
type job struct {
	Name        string   `json:"name"`
	Command     string   `json:"command"`
	Arguments   []string `json:"arguments"`
	Schedule    string   `json:"schedule"`
	Zone        string   `json:"scheduleTimeZone"`
	Parents     []string `json:"parents"`
	Retries     int      `json:"retries"`
	Epsilon     string   `json:"epsilon"`
	Disabled    bool     `json:"disabled"`
	Successes   int64    `json:"successCount"`
	Errors      int64    `json:"errorCount"`
	LastSuccess string   `json:"lastSuccess"`
	LastError   string   `json:"lastError"`
	CPUs        float64  `json:"cpus"`
	Mem         float64  `json:"mem"`
}

// when says when a job runs: its schedule, or after which others.
func when(schedule string, parents []string) string {
	if len(parents) > 0 {
		return "after " + strings.Join(parents, ", ")
	}
	return schedule
}

// off says how a job stands that is shown as disabled: Chronos shows one whose schedule has
// no repetition left so, too.
func off(schedule string) string {
	if strings.HasPrefix(schedule, "R0/") {
		return "ended"
	}
	return "disabled"
}

// job reads one job, as it is shown, into an object.
func (j *jobs) job(ctx context.Context, name string, into any) error {
	path, err := jobPath(chronosBase+"/job/", name, "")
	if err != nil {
		return err
	}
	return j.named(ctx, "get job", http.MethodGet, path, nil, into)
}

// completeJobs completes the names of the jobs.
func completeJobs(c *client) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		j, err := c.jobs()
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		j.patience, j.talk = completionTime, nil
		var list jobSummary
		if err := j.get(cmd.Context(), "list jobs", chronosBase+"/jobs/summary", &list); err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []string
		for _, one := range list.Jobs {
			if strings.HasPrefix(one.Name, word) {
				out = append(out, one.Name)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

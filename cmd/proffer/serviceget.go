package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func serviceGetCommand(c *client) *cobra.Command {
	return &cobra.Command{
		Use: "get SERVICE", Short: "How a service stands: instances, health, deployments, why it waits, its last failure", Args: cobra.ExactArgs(1),
		Example: "  proffer service get web\n  proffer service get web --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.services()
			if err != nil {
				return err
			}
			path, err := servicePath(args[0])
			if err != nil {
				return err
			}
			if c.json {
				var one struct {
					App json.RawMessage `json:"app"`
				}
				if err := s.get(cmd.Context(), "get service", path+beyond, &one); err != nil {
					return err
				}
				return c.printObject(one.App)
			}
			v, err := readService(cmd.Context(), s, path)
			if err != nil {
				return err
			}
			return v.print(c)
		},
		ValidArgsFunction: completeServices(c),
	}
}

// serviceView is all that `service get` shows.
type serviceView struct {
	app         app
	queue       queue
	deployments []deployment
}

func readService(ctx context.Context, s *services, path string) (serviceView, error) {
	var v serviceView
	var one struct {
		App app `json:"app"`
	}
	if err := s.get(ctx, "get service", path+beyond, &one); err != nil {
		return v, err
	}
	v.app = one.App
	if err := s.get(ctx, "get queue", "/v2/queue?embed=why", &v.queue); err != nil {
		return v, err
	}
	var all []deployment
	if err := s.get(ctx, "get deployments", "/v2/deployments", &all); err != nil {
		return v, err
	}
	for _, d := range all {
		for _, mine := range v.app.Deployments {
			if d.ID == mine.ID {
				v.deployments = append(v.deployments, d)
			}
		}
	}
	return v, nil
}

// print is `service get` for people.
func (v serviceView) print(c *client) error {
	a, out := &v.app, c.io.out
	row := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%-13s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("service", "%s", a.ID)
	row("state", "%s", a.state(v.queue))
	row("instances", "%s", a.counts())
	why := a.waits(v.queue)
	for i, w := range why {
		// What a deployment waits for ends with what the app waits for: once is enough.
		if !slices.ContainsFunc(why, func(other string) bool { return other != w && strings.Contains(other, w) }) && !slices.Contains(why[:i], w) {
			row("why", "%s", w)
		}
	}
	for _, d := range v.deployments {
		row("deployment", "%s", d.text(a.ID))
	}
	if f := a.LastFailure; f != nil {
		row("last failure", "%s", f.text())
	}
	if a.Cmd != "" {
		row("command", "%s", firstLine(a.Cmd))
	} else if len(a.Args) > 0 {
		row("command", "%s", strings.Join(a.Args, " "))
	}
	row("each", "%g cpus, %g MiB", a.CPUs, a.Mem)
	for _, p := range a.PortDefinitions {
		row("service port", "%s", strings.TrimSpace(fmt.Sprintf("%d %s", p.Port, p.Name)))
	}
	row("version", "%s", a.Version)
	row("config since", "%s", a.VersionInfo.LastConfigChangeAt)
	if len(a.Tasks) == 0 {
		return nil
	}
	var rows [][]string
	for _, t := range sorted(a.Tasks) {
		since := t.StartedAt
		if since == "" {
			since = t.StagedAt
		}
		rows = append(rows, []string{t.index(), t.ID, a.condition(t), address(t), age(moment(since))})
	}
	return table(out, []string{"INDEX", "TASK", "STATE", "ADDRESS", "SINCE"}, rows)
}

// counts says how many instances there are, of which kind.
func (a *app) counts() string {
	text := fmt.Sprintf("%d of %d run", a.Running, a.Instances)
	if a.Staged > 0 {
		text += fmt.Sprintf(", %d starting", a.Staged)
	}
	if len(a.HealthChecks) > 0 {
		text += fmt.Sprintf(", %d healthy, %d unhealthy", a.Healthy, a.Unhealthy)
	}
	return text
}

// text is a deployment as far as it concerns one service.
func (d deployment) text(id string) string {
	var doing []string
	for _, act := range d.Current {
		if act.App == id {
			doing = append(doing, act.Action)
		}
	}
	text := fmt.Sprintf("%s, step %d of %d", d.ID, d.CurrentStep, d.TotalSteps)
	if len(doing) > 0 {
		text += ": " + strings.Join(doing, ", ")
	}
	return text
}

func (f *taskFailure) text() string {
	return fmt.Sprintf("%s %s ago on %s: %s (%s)", taskWord(f.State), age(moment(f.Timestamp)), f.Host, firstLine(f.Message), f.TaskID)
}

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// lacks are Marathon's reasons to decline an offer, as people say them.
func lacks() map[string]string {
	return map[string]string{
		"UnfulfilledRole":                 "are of a role that it does not use",
		"UnfulfilledConstraint":           "do not fulfil its constraints",
		"NoCorrespondingReservationFound": "have no reservation for it",
		"AgentMaintenance":                "are of agents in maintenance",
		"InsufficientCpus":                "have too few cpus free",
		"InsufficientMemory":              "have too little memory free",
		"InsufficientDisk":                "have too little disk free",
		"InsufficientGpus":                "have too few gpus free",
		"InsufficientPorts":               "lack the ports",
		"DeclinedScarceResources":         "are of agents whose scarce resources it does not need",
	}
}

// why says, in one sentence, what an item of the queue waits for.
func (q queueItem) why() string {
	if q.Why != "" {
		return q.Why
	}
	if s := q.Delay.TimeLeftSeconds; s > 0 {
		return fmt.Sprintf("the next start is in %s, because the last ones failed", time.Duration(s)*time.Second)
	}
	if q.Offers.Processed == 0 {
		return "no offer has come yet"
	}
	var parts []string
	known := lacks()
	for _, r := range q.Offers.Last {
		if r.Declined == 0 {
			continue
		}
		what := known[r.Reason]
		if what == "" {
			what = "were declined"
		}
		parts = append(parts, fmt.Sprintf("%d of %d offers %s (%s)", r.Declined, r.Processed, what, r.Reason))
	}
	if len(parts) == 0 {
		return "offers have come, and it is being started"
	}
	return strings.Join(parts, ", then ")
}

// waits are the lines that say what a service waits for: those that marathonish gives, or
// for want of them what its queue tells.
func (a *app) waits(q queue) []string {
	if len(a.Why) > 0 {
		return a.Why
	}
	return a.starts(q)
}

// starts are the lines that say why instances are not started yet.
func (a *app) starts(q queue) []string {
	var out []string
	for _, item := range q.Queue {
		if item.App.ID == a.ID && item.Count > 0 {
			out = append(out, fmt.Sprintf("%s to start: %s", plural(item.Count, "instance"), item.why()))
		}
	}
	return out
}

// queued tells whether instances of a service wait to be started.
func (a *app) queued(q queue) bool {
	return slices.ContainsFunc(q.Queue, func(i queueItem) bool { return i.App.ID == a.ID && i.Count > 0 })
}

// plural is a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

package sdktest

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Command is the outcome of a task by its shell command, of which it understands
// the words that tests need, joined by ";" or "&&":
//
//	true, false, exit N, echo …, sleep SECONDS (or infinity),
//	kill -9 $$ (also -KILL, -TERM), trap '' TERM, and exec before any,
//	healthy SECONDS (-1 for never), sick SECONDS: Outcome's HealthyAfter and SickAfter
//
// A command that it does not understand runs until it is killed, and so does a
// task of a custom executor.
func Command(task sdk.TaskInfo) Outcome {
	if task.Command == nil || task.Executor != nil && task.Executor.Type != sdk.ExecutorDefault && task.Executor.Command != nil {
		return Outcome{Endless: true}
	}
	line := task.Command.Value
	if len(task.Command.Arguments) > 0 && task.Command.Shell != nil && !*task.Command.Shell {
		line = strings.Join(task.Command.Arguments, " ")
	}
	var o Outcome
	for _, step := range strings.Split(strings.ReplaceAll(line, "&&", ";"), ";") {
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(step), "exec "))
		if len(words) == 0 {
			continue
		}
		switch o.run(words) {
		case stepEnds:
			return o
		case stepUnknown:
			return Outcome{Endless: true, Deaf: o.Deaf, HealthyAfter: o.HealthyAfter, SickAfter: o.SickAfter}
		}
	}
	return o
}

type stepResult int

const (
	stepGoesOn stepResult = iota
	stepEnds
	stepUnknown
)

// run carries out one command on the outcome.
func (o *Outcome) run(words []string) stepResult {
	argument := ""
	if len(words) > 1 {
		argument = words[1]
	}
	switch words[0] {
	case "true", "/bin/true", "echo", ":":
		return stepGoesOn
	case "false", "/bin/false":
		o.Exit = 1
		return stepEnds
	case "exit":
		o.Exit, _ = strconv.Atoi(argument)
		return stepEnds
	case "sleep":
		seconds, err := strconv.ParseFloat(argument, 64)
		if err != nil || math.IsInf(seconds, 0) {
			return stepUnknown // infinity runs until it is killed
		}
		o.After += time.Duration(seconds * float64(time.Second))
		return stepGoesOn
	case "kill":
		switch argument {
		case "-9", "-KILL":
			o.Signal = "Killed"
		case "-TERM", "-15":
			o.Signal = "Terminated"
		default:
			return stepUnknown
		}
		return stepEnds
	case "healthy", "sick":
		seconds, err := strconv.ParseFloat(argument, 64)
		if err != nil {
			return stepUnknown
		}
		if d := time.Duration(seconds * float64(time.Second)); words[0] == "sick" {
			o.SickAfter = d
		} else {
			o.HealthyAfter = d
		}
		return stepGoesOn
	case "trap":
		o.Deaf = true
		return stepGoesOn
	}
	return stepUnknown
}

package slots

import (
	"fmt"
	"strconv"
	"strings"
)

// Phase is what of a run a line tells.
type Phase string

// The phases.
const (
	Begin Phase = "begin"
	End   Phase = "end"
)

// Line is one line that a run wrote. Times are milliseconds since 1970.
type Line struct {
	Phase   Phase
	At      int64 // on the wall clock of its machine
	Job     string
	Nominal int64
	Attempt int
	Task    string
	Parents []string // task ids of the runs that have caused this one; none for a slot's
}

// Command is a shell command whose run appends a line to the file when it begins and one
// when it ends, and between them does what work says. Each line is one write; the name of
// the agent's host is appended to that of the file.
func Command(file, work string) string {
	return `say() { echo "$1 $(date +%s%3N) $CHRONOS_JOB_NAME $CHRONOS_JOB_RUN_TIME $CHRONOS_JOB_RUN_ATTEMPT $MESOS_TASK_ID $CHRONOS_JOB_PARENT_TASK_IDS" >> ` + file +
		`.$HOST; }; say begin && ` + work + ` && say end`
}

// Parse reads a file of lines. An error names the line.
func Parse(text string) ([]Line, error) {
	var list []Line
	for i, one := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if text == "" {
			break
		}
		l, err := parseLine(one)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		list = append(list, l)
	}
	return list, nil
}

func parseLine(text string) (Line, error) {
	f := strings.Fields(text)
	if len(f) < 6 || f[0] != string(Begin) && f[0] != string(End) {
		return Line{}, fmt.Errorf("%q has not the form begin|end, time, job, slot, attempt, task, parents", text)
	}
	at, err1 := strconv.ParseInt(f[1], 10, 64)
	nominal, err2 := strconv.ParseInt(f[3], 10, 64)
	attempt, err3 := strconv.Atoi(f[4])
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return Line{}, fmt.Errorf("%q: %w", text, err)
		}
	}
	return Line{Phase: Phase(f[0]), At: at, Job: f[2], Nominal: nominal, Attempt: attempt, Task: f[5], Parents: f[6:]}, nil
}

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// mostTail is how many bytes of a stream chronosish gives.
const mostTail = 64 << 10

// jobTail is the end of what a run has written.
type jobTail struct {
	Stdout     string `json:"stdout"`
	Stderr     string `json:"stderr"`
	StdoutFrom int64  `json:"stdoutFrom"`
	StderrFrom int64  `json:"stderrFrom"`
	Missing    string `json:"missing"`
}

// printTails prints what the newest run wrote, and those before it that have failed, as far
// as chronosish has read them.
func (h *jobHistory) printTails(to io.Writer) error {
	newest := true
	show := func(task, how, host string, t *jobTail, wanted bool) error {
		if t == nil || !wanted && !newest {
			return nil
		}
		newest = false
		_, err := fmt.Fprintf(to, "\n==> %s (%s, on %s)\n%s", shown(task), how, shown(host), t)
		return err
	}
	for _, r := range slices.Backward(h.Runs) {
		if err := show(r.TaskID, "running", r.Host, r.Output, true); err != nil {
			return err
		}
	}
	for i := range h.History {
		r := &h.History[i]
		how := r.outcome()
		if exit := r.exit(); exit != "" && how != "succeeded" {
			how += ", " + exitWord(exit)
		}
		if err := show(r.TaskID, how, r.Host, r.Output, how != "succeeded"); err != nil {
			return err
		}
	}
	return nil
}

// String is the output as it is printed, whole lines of it.
func (t *jobTail) String() string {
	if t.Missing != "" {
		return "no output: " + shown(t.Missing) + "\n"
	}
	var b strings.Builder
	for _, s := range []struct {
		name, text string
		from       int64
	}{{"", t.Stdout, t.StdoutFrom}, {"stderr", t.Stderr, t.StderrFrom}} {
		if s.text == "" {
			continue
		}
		if s.name != "" {
			fmt.Fprintf(&b, "-- %s\n", s.name)
		}
		if _, rest, more := strings.Cut(s.text, "\n"); s.from > 0 && more && rest != "" {
			s.from += int64(len(s.text) - len(rest)) // from a line's beginning on
			s.text = rest
		}
		if s.from > 0 {
			fmt.Fprintf(&b, "… %d bytes before\n", s.from)
		}
		b.WriteString(s.text)
		if !strings.HasSuffix(s.text, "\n") {
			b.WriteString("\n")
		}
	}
	if b.Len() == 0 {
		return "it wrote nothing\n"
	}
	return b.String()
}

// exitWord says what the column EXIT has, by itself.
func exitWord(exit string) string {
	if strings.HasPrefix(exit, "signal ") {
		return exit
	}
	return "exit status " + exit
}

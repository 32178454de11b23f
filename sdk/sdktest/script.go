package sdktest

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A script is a list of calls and of the events that they must bring about, in the
// form of cockroachdb/datadriven:
//
//	launch f1 t1
//	exit 7
//	----
//	202
//
//	await f1 t1=TASK_FAILED
//	----
//	UPDATE t1 TASK_RUNNING SOURCE_EXECUTOR
//	UPDATE t1 TASK_FAILED SOURCE_EXECUTOR "Command exited with status 7"
//
// The commands are listed in commands.go. Ids are written as F1, A1, O1 in the
// order in which they are met, and nothing is written that depends on the size of
// the cluster or on time, so that one transcript holds for every cluster with one
// agent that has at least one cpu and 512 MB free.

//go:embed testdata/*.txt
var scripts embed.FS

// Scripts are the names of the suite's scripts.
func Scripts() []string {
	entries, err := scripts.ReadDir("testdata")
	if err != nil {
		panic("sdktest: its own scripts cannot be read: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".txt"))
	}
	slices.Sort(names)
	return names
}

// Script is the text of one of the suite's scripts, with the transcript that every
// cluster must give.
func Script(name string) string {
	data, err := scripts.ReadFile("testdata/" + name + ".txt")
	if err != nil {
		panic("sdktest: there is no script " + name)
	}
	return string(data)
}

// RunScript runs the calls of a script against the cluster of the master at addr
// ("host:port") and gives the script back with what really happened below each
// "----". Equal to the script: the cluster behaves as it says. The frameworks
// that it made are torn down at its end.
func RunScript(t testing.TB, addr, token, script string) string {
	t.Helper()
	r := NewRunner(t, addr, token)
	defer r.Close()
	var out strings.Builder
	lines := strings.SplitAfter(script, "\n")
	for i := 0; i < len(lines); {
		text := strings.TrimSpace(lines[i])
		if text == "" || strings.HasPrefix(text, "#") {
			out.WriteString(lines[i])
			i++
			continue
		}
		var input []string
		first := i
		for i++; i < len(lines) && strings.TrimSpace(lines[i]) != "----"; i++ {
			input = append(input, strings.TrimSuffix(lines[i], "\n"))
		}
		if i == len(lines) {
			t.Fatalf("line %d of the script: %q has no ---- below it", first+1, text)
		}
		for _, line := range lines[first : i+1] {
			out.WriteString(line)
		}
		for i++; i < len(lines) && strings.TrimSpace(lines[i]) != ""; i++ { // what is expected
		}
		result := r.Do(text, strings.Join(input, "\n"))
		out.WriteString(result)
		if result != "" && !strings.HasSuffix(result, "\n") {
			out.WriteString("\n")
		}
	}
	return out.String()
}

// arguments of a command: "launch f1 t1 cpus=2" has the words f1 and t1 and the
// option cpus.
type arguments struct {
	command string
	words   []string
	options map[string]string
}

func parseArguments(line string) arguments {
	fields := strings.Fields(line)
	a := arguments{command: fields[0], options: map[string]string{}}
	for _, f := range fields[1:] {
		if key, value, ok := strings.Cut(f, "="); ok {
			a.options[key] = value
		} else {
			a.words = append(a.words, f)
		}
	}
	return a
}

// word is the i-th word; a script without it is wrong.
func (a arguments) word(i int) string {
	if i >= len(a.words) {
		panic(fmt.Sprintf("sdktest: %q lacks its word number %d", a.command, i+1))
	}
	return a.words[i]
}

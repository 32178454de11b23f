package agent

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/profferhq/proffer/sdk"
)

// index remembers in which container a task or an executor that has ended ran, as
// long as its output is kept. It is a file of lines, written when a container ends:
// a write without a sync survives the agent, and after a loss of power only a
// look-up by task id is missing.
type index struct {
	mu         sync.Mutex
	file       *os.File
	tasks      map[boxTask]string
	executors  map[executorKey]string
	containers map[string]indexed
}

type indexed struct {
	framework sdk.FrameworkID
	executor  sdk.ExecutorID
	task      sdk.TaskID
}

// openIndex reads the file, keeps what exists of it, and writes that anew. What can not be
// read is told, and set aside where it stands in the way.
func openIndex(path string, log *slog.Logger, exists func(container string) bool) (*index, error) {
	x := &index{tasks: map[boxTask]string{}, executors: map[executorKey]string{}, containers: map[string]indexed{}}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		log.Error("the list of ended containers is lost; their output is found by container, not by task", "file", path, "error", err, "aside", path+".damaged")
		if err := errors.Join(os.RemoveAll(path+".damaged"), os.Rename(path, path+".damaged")); err != nil {
			return nil, err
		}
	}
	damaged := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) < 4 {
			damaged++
			continue
		}
		e := indexed{sdk.FrameworkID(f[1]), sdk.ExecutorID(f[2]), sdk.TaskID(f[3])}
		switch {
		case line != e.line(f[0]) && (len(f) != 4 || !strings.HasSuffix(line, "\n")): // older releases wrote no check sum
			damaged++
		case exists(f[0]):
			x.enter(f[0], e)
		}
	}
	if damaged > 0 {
		log.Error("the list of ended containers is damaged; the output of some is found by container, not by task", "file", path, "lines lost", damaged)
	}
	fresh := path + ".new"
	if x.file, err = os.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	out := bufio.NewWriter(x.file)
	for id, e := range x.containers {
		_, _ = out.WriteString(e.line(id)) // Flush tells the error
	}
	return x, errors.Join(out.Flush(), os.Rename(fresh, path))
}

func indexPath(logRoot string) string { return filepath.Join(logRoot, "index") }

// line is safe: ids have no control characters.
func (e indexed) line(id string) string {
	text := id + "\t" + string(e.framework) + "\t" + string(e.executor) + "\t" + string(e.task)
	return fmt.Sprintf("%s\t%08x\n", text, crc32.ChecksumIEEE([]byte(text)))
}

func (x *index) enter(id string, e indexed) {
	x.containers[id] = e
	if e.task != "" {
		x.tasks[boxTask{e.framework, e.task}] = id
	} else {
		x.executors[executorKey{e.framework, e.executor}] = id
	}
}

// add remembers a container that has ended.
func (x *index) add(b *box) error {
	e := indexed{b.c.FrameworkID, b.c.ExecutorID, b.c.TaskID}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.enter(b.c.ID, e)
	_, err := x.file.WriteString(e.line(b.c.ID))
	return err
}

// remove forgets containers whose output is gone.
func (x *index) remove(ids []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, id := range ids {
		e := x.containers[id]
		delete(x.containers, id)
		if x.tasks[boxTask{e.framework, e.task}] == id {
			delete(x.tasks, boxTask{e.framework, e.task})
		}
		if x.executors[executorKey{e.framework, e.executor}] == id {
			delete(x.executors, executorKey{e.framework, e.executor})
		}
	}
}

func (x *index) task(f sdk.FrameworkID, t sdk.TaskID) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.tasks[boxTask{f, t}]
}

func (x *index) executor(f sdk.FrameworkID, e sdk.ExecutorID) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.executors[executorKey{f, e}]
}

func (x *index) close() error { return x.file.Close() }

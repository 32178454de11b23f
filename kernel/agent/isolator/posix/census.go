package posix

import (
	"os"
	"path/filepath"
	"strconv"
)

// census is one look at all processes of the machine. A look costs some
// milliseconds, so all who come before it begins share it.
type census struct {
	done      chan struct{}
	processes []process
	err       error
}

// process is a living one.
type process struct {
	pid, group int
	mark       string // its container, empty for none
}

// look lists the living processes, by a look that begins after the call.
func (p *Processes) look() ([]process, error) {
	p.mu.Lock()
	c := p.next
	mine := c == nil
	if mine {
		c = &census{done: make(chan struct{})}
		p.next = c
	}
	p.mu.Unlock()
	if !mine {
		<-c.done
		return c.processes, c.err
	}
	p.turn.Lock()
	p.mu.Lock()
	p.next = nil // whoever comes from now on could miss a process in this one
	p.mu.Unlock()
	c.processes, c.err = count(p.proc())
	if p.looked != nil {
		p.looked()
	}
	p.turn.Unlock()
	close(c.done)
	return c.processes, c.err
}

func count(proc string) ([]process, error) {
	dir, err := os.Open(proc)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	out := make([]process, 0, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() {
			continue
		}
		s, ok := readStat(filepath.Join(proc, name))
		if !ok || s.state == 'Z' || s.state == 'X' {
			continue
		}
		out = append(out, process{pid: pid, group: s.group, mark: markOf(filepath.Join(proc, name, "environ"))})
	}
	return out, nil
}

package usage

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Groups are the directories of one container's groups. An empty one is not read.
type Groups struct {
	V2      bool
	Unified string // the v2 group; beside v1 it knows processor time only
	CPU     string
	CPUAcct string
	Memory  string
	Pids    string
}

// unlimited is what v1 shows for no limit, less the page that it rounds down.
const unlimited = math.MaxInt64 - 1<<20

// Read fills in what the groups tell, four to six small files. A group that has
// gone meanwhile leaves its numbers as they were; the error is then nil, because a
// container may end between the list and the look.
func Read(g Groups, into *Sample) error {
	r := reader{}
	switch {
	case g.Unified != "":
		stat := r.table(g.Unified + "/cpu.stat")
		into.CPU = time.Duration(stat["usage_usec"]) * time.Microsecond
		if g.V2 {
			into.Periods, into.Throttles = stat["nr_periods"], stat["nr_throttled"]
			into.Throttled = time.Duration(stat["throttled_usec"]) * time.Microsecond
		}
	case g.CPUAcct != "":
		into.CPU = time.Duration(r.number(g.CPUAcct + "/cpuacct.usage"))
	}
	if g.V2 {
		g.readV2(&r, into)
	} else {
		g.readV1(&r, into)
	}
	return r.err
}

func (g *Groups) readV1(r *reader, into *Sample) {
	if g.CPU != "" {
		stat := r.table(g.CPU + "/cpu.stat")
		into.Periods, into.Throttles = stat["nr_periods"], stat["nr_throttled"]
		into.Throttled = time.Duration(stat["throttled_time"])
	}
	if g.Memory != "" {
		into.Memory = r.number(g.Memory + "/memory.usage_in_bytes")
		into.MemoryPeak = r.number(g.Memory + "/memory.max_usage_in_bytes")
		if limit := r.number(g.Memory + "/memory.limit_in_bytes"); limit < unlimited {
			into.MemoryLimit = limit
		}
		into.OOMKills = r.table(g.Memory + "/memory.oom_control")["oom_kill"]
	}
	if g.Pids != "" {
		into.Threads = r.number(g.Pids + "/pids.current")
		into.ThreadsLimit = r.number(g.Pids + "/pids.max")
	}
}

func (g *Groups) readV2(r *reader, into *Sample) {
	if g.Memory != "" {
		into.Memory = r.number(g.Memory + "/memory.current")
		into.MemoryPeak = r.optional(g.Memory + "/memory.peak") // from Linux 5.19
		into.MemoryLimit = r.number(g.Memory + "/memory.max")
		into.OOMKills = r.table(g.Memory + "/memory.events")["oom_kill"]
	}
	if g.Pids != "" {
		into.Threads = r.number(g.Pids + "/pids.current")
		into.ThreadsLimit = r.number(g.Pids + "/pids.max")
	}
}

// reader keeps the first error, so that the list above reads as a list.
type reader struct {
	err error
}

func (r *reader) text(path string) string {
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !isGone(err) && r.err == nil {
		r.err = err
	}
	return string(b)
}

// number reads one number; "max" and nothing at all are 0.
func (r *reader) number(path string) uint64 {
	text := strings.TrimSpace(r.text(path))
	if text == "" || text == "max" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil && r.err == nil {
		r.err = &fs.PathError{Op: "parse", Path: path, Err: err}
	}
	return n
}

func (r *reader) optional(path string) uint64 {
	before := r.err
	n := r.number(path)
	r.err = before
	return n
}

// table reads lines of a word and a number; lines that are not so are left out.
func (r *reader) table(path string) map[string]uint64 {
	out := map[string]uint64{}
	for line := range strings.Lines(r.text(path)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseUint(value, 10, 64); ok && err == nil {
			out[key] = n
		}
	}
	return out
}

// isGone recognises a read from a group that was removed after it was opened.
func isGone(err error) bool { return errors.Is(err, syscall.ENODEV) }

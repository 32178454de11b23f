package cgroup

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The magic numbers by which statfs tells a control group file system.
const (
	magicV1 = 0x27e0eb
	magicV2 = 0x63677270
)

// mount is one mounted hierarchy.
type mount struct {
	dir         string
	v2          bool
	controllers []string
}

// readMounts lists the mounted hierarchies in the order of the mount table. The
// first mount of a controller counts. A mount that is not what it says is left out
// and named in the second result.
func readMounts(mountinfo string) ([]mount, []string, error) {
	file, err := os.Open(mountinfo)
	if err != nil {
		return nil, nil, fmt.Errorf("look for control groups: %w", err)
	}
	defer file.Close()
	var mounts []mount
	var bad []string
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m, ok := parseMount(lines.Text())
		if !ok || slices.ContainsFunc(mounts, func(o mount) bool { return overlap(o, m) }) {
			continue
		}
		if why := checkMagic(m); why != "" {
			bad = append(bad, why)
			continue
		}
		mounts = append(mounts, m)
	}
	return mounts, bad, lines.Err()
}

func overlap(a, b mount) bool {
	if a.v2 || b.v2 {
		return a.v2 == b.v2
	}
	return slices.ContainsFunc(a.controllers, func(c string) bool { return slices.Contains(b.controllers, c) })
}

// parseMount reads a line of mountinfo: "… root dir options … - type source super".
func parseMount(line string) (mount, bool) {
	front, back, ok := strings.Cut(line, " - ")
	if !ok {
		return mount{}, false
	}
	f, b := strings.Fields(front), strings.Fields(back)
	if len(f) < 6 || len(b) < 3 || (b[0] != "cgroup" && b[0] != "cgroup2") {
		return mount{}, false
	}
	m := mount{dir: unescape(f[4]), v2: b[0] == "cgroup2"}
	if m.v2 {
		return m, true
	}
	for _, o := range strings.Split(b[2], ",") {
		switch o {
		case "cpu", "cpuacct", "memory", "pids", "freezer":
			m.controllers = append(m.controllers, o)
		}
	}
	return m, len(m.controllers) > 0
}

// unescape undoes the octal escapes of blanks and backslashes in mount points.
func unescape(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

func checkMagic(m mount) string {
	var st unix.Statfs_t
	if err := unix.Statfs(m.dir, &st); err != nil {
		return fmt.Sprintf("%s: %v", m.dir, err)
	}
	want := int64(magicV1)
	if m.v2 {
		want = magicV2
	}
	if int64(st.Type) != want {
		return fmt.Sprintf("%s is mounted as a control group hierarchy but is none: its magic is %#x, not %#x", m.dir, st.Type, want)
	}
	return ""
}

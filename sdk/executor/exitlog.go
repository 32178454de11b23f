package executor

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// Ends of inherited processes stand in RUNTIME/exits/NAME, one line each:
//
//	1 PID START BOOT STATUS NANOS "CGROUP" CRC
//
// appended with one write(2), so a SIGKILL leaves a whole line or none; a line
// that a lost machine tore fails its check sum and is skipped. At maxExitLog bytes
// the file becomes NAME.old, in place of the one before.
const (
	exitsDir   = "exits"
	exitFormat = 1
	maxExitLog = 4 << 20
)

// exitLog is the writer of one file. It belongs to one goroutine.
type exitLog struct {
	path string
	fd   int
	size int64
}

func openExitLog(runtime, name string) (*exitLog, error) {
	l := &exitLog{path: filepath.Join(runtime, exitsDir, name), fd: -1}
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return nil, err
	}
	return l, l.open()
}

func (l *exitLog) open() error {
	fd, err := unix.Open(l.path, unix.O_WRONLY|unix.O_CREAT|unix.O_APPEND|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return &fs.PathError{Op: "open", Path: l.path, Err: err}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return &fs.PathError{Op: "stat", Path: l.path, Err: err}
	}
	l.fd, l.size = fd, st.Size
	return nil
}

func (l *exitLog) append(e Exit) error {
	if l.size >= maxExitLog {
		if err := os.Rename(l.path, l.path+".old"); err != nil {
			return err
		}
		l.close()
		if err := l.open(); err != nil {
			return err
		}
	}
	line := exitLine(e)
	n, err := unix.Write(l.fd, line)
	l.size += int64(n)
	if err == nil && n < len(line) { // the disk is full; close the torn line
		_, _ = unix.Write(l.fd, []byte("\n"))
		err = unix.ENOSPC
	}
	if err != nil {
		return &fs.PathError{Op: "append", Path: l.path, Err: err}
	}
	return nil
}

func (l *exitLog) close() {
	if l.fd >= 0 {
		_ = unix.Close(l.fd)
		l.fd = -1
	}
}

func exitLine(e Exit) []byte {
	text := fmt.Sprintf("%d %d %d %s %d %d %q", exitFormat, e.Process.PID, e.Process.StartTime, e.Process.BootID, e.WaitStatus, e.Nanos, e.Cgroup)
	return fmt.Appendf(nil, "%s %08x\n", text, sum([]byte(text)))
}

// parseExitLine reads one line; ok is false for one that is torn, damaged, or of a
// newer format.
func parseExitLine(line []byte) (e Exit, ok bool) {
	cut := bytes.LastIndexByte(line, ' ')
	if cut < 0 {
		return e, false
	}
	if crc, err := strconv.ParseUint(string(line[cut+1:]), 16, 32); err != nil || uint32(crc) != sum(line[:cut]) {
		return e, false
	}
	f := strings.SplitN(string(line[:cut]), " ", 7)
	if len(f) != 7 || f[0] != strconv.Itoa(exitFormat) {
		return e, false
	}
	pid, err1 := strconv.ParseInt(f[1], 10, 32)
	start, err2 := strconv.ParseUint(f[2], 10, 64)
	status, err3 := strconv.ParseInt(f[4], 10, 32)
	nanos, err4 := strconv.ParseInt(f[5], 10, 64)
	group, err5 := strconv.Unquote(f[6])
	e = Exit{Process: sdk.Process{PID: int32(pid), StartTime: start, BootID: f[3]},
		Known: true, WaitStatus: int32(status), Nanos: nanos, Cgroup: group}
	return e, errors.Join(err1, err2, err3, err4, err5) == nil
}

// searchExits looks in every exit log below runtime for the process. Without a
// start time the latest of that pid is meant. A log that can not be read is an error only
// where no other has the process.
func searchExits(runtime string, p sdk.Process) (found Exit, ok bool, err error) {
	files, err := filepath.Glob(filepath.Join(runtime, exitsDir, "*"))
	if err != nil {
		return found, false, err
	}
	for _, file := range files {
		b, rerr := os.ReadFile(file)
		if rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
		for line := range bytes.Lines(b) {
			e, good := parseExitLine(bytes.TrimSuffix(line, []byte("\n")))
			same := e.Process.PID == p.PID && e.Process.BootID == p.BootID && (p.StartTime == 0 || e.Process.StartTime == p.StartTime)
			if good && same && (!ok || e.Nanos > found.Nanos) {
				found, ok = e, true
			}
		}
	}
	if ok {
		err = nil
	}
	return found, ok, err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

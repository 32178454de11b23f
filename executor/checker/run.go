package checker

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// maxSaid is what is kept of a check's output, its end, in bytes.
const maxSaid = 200

// run is a command check that was started. Its output is read, so that it does not
// block, and its end is kept for people; it is no part of the task's.
type run struct {
	process sdk.Process
	pidfd   *os.File
	outputs [2]*os.File
	readers sync.WaitGroup

	mu   sync.Mutex
	tail []byte
}

func newRun(s *executor.Started) *run {
	_ = unix.SetNonblock(s.PIDFD, true) // so that waiting for it takes no thread
	r := &run{process: s.Process, pidfd: os.NewFile(uintptr(s.PIDFD), "pidfd")}
	for i, fd := range []int{s.Stdout, s.Stderr} {
		r.outputs[i] = os.NewFile(uintptr(fd), executor.StdoutStream)
		r.readers.Go(func() { r.read(r.outputs[i]) })
	}
	return r
}

// read reads a stream until it is closed, or its deadline comes.
func (r *run) read(f *os.File) {
	buf := make([]byte, 1024)
	for {
		n, err := f.Read(buf)
		r.mu.Lock()
		r.tail = append(r.tail, buf[:n]...)
		r.tail = r.tail[max(0, len(r.tail)-maxSaid):]
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// wait waits for the end of the command, and ends its whole group then, or when ctx
// ends; ended is false in that case.
func (r *run) wait(ctx context.Context) (status int32, ended bool) {
	defer context.AfterFunc(ctx, func() { _ = r.pidfd.SetReadDeadline(time.Unix(1, 0)) })()
	status, ended = r.exit()
	// The command is not reaped yet, so the group is still its own.
	_ = executor.SignalGroup(r.process, unix.SIGKILL)
	if !ended {
		_ = r.pidfd.SetReadDeadline(time.Now().Add(endPatience))
		_, _ = r.exit()
	}
	_ = executor.Reap(int(r.process.PID))
	return status, ended
}

// exit waits for the end, or for the deadline of the pidfd.
func (r *run) exit() (status int32, ok bool) {
	conn, err := r.pidfd.SyscallConn()
	if err != nil {
		return 0, false
	}
	_ = conn.Read(func(uintptr) bool {
		status, ok, err = executor.Peek(int(r.process.PID))
		return ok || err != nil
	})
	return status, ok
}

// said is the end of the command's output as an error, nil when it said nothing.
func (r *run) said() error {
	r.finish()
	text := bytes.TrimSpace(r.tail)
	if len(text) == 0 {
		return nil
	}
	return errors.New(string(bytes.ToValidUTF8(text, []byte("?"))))
}

// finish reads what is left of the output.
func (r *run) finish() {
	for _, f := range r.outputs {
		_ = f.SetReadDeadline(time.Unix(1, 0))
	}
	r.readers.Wait()
	buf := make([]byte, 64<<10) // what a FIFO holds
	for _, f := range r.outputs {
		conn, err := f.SyscallConn()
		if err != nil {
			continue
		}
		_ = conn.Control(func(fd uintptr) {
			n, _ := unix.Read(int(fd), buf)
			r.tail = append(r.tail, buf[:max(0, n)]...)
		})
	}
	r.tail = r.tail[max(0, len(r.tail)-maxSaid):]
}

func (r *run) close() {
	for _, f := range []*os.File{r.pidfd, r.outputs[0], r.outputs[1]} {
		_ = f.Close()
	}
	r.readers.Wait()
}

package up

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"
)

// The pauses before a daemon that keeps dying is started again. The first start after a
// healthy life is at once.
const (
	healthyLife = time.Second
	firstPause  = 100 * time.Millisecond
	longPause   = 2 * time.Second
	// startPatience is how long a daemon that has never served may fail by itself, such as
	// over a port that the last `up` has just left.
	startPatience = 3 * time.Second
)

// nextPause is how long to wait before the next start of a daemon that lived for lived,
// when pause was the wait before: none after a healthy life, else doubling.
func nextPause(pause, lived time.Duration) time.Duration {
	switch {
	case lived >= healthyLife:
		return 0
	case pause == 0:
		return firstPause
	default:
		return min(2*pause, longPause)
	}
}

// daemon is one supervised process.
type daemon struct {
	member
	argv []string
	sup  *supervisor
}

// run keeps the daemon alive until ctx ends, then asks it to stop and waits for it,
// grace at most before it is killed. A daemon that refuses its settings, or
// that never comes to serve, is not started for ever: that is the error.
func (d *daemon) run(ctx context.Context, grace time.Duration) error {
	var pause time.Duration
	begin, served := time.Now(), false
	for first := true; ; first = false {
		started := time.Now()
		pid, ended, err := d.sup.start(d.argv)
		if err != nil {
			d.sup.talk("%s could not be started: %v", d.Name, err)
		} else {
			if !first {
				d.sup.talk("%s is back (pid %d)", d.Name, pid)
			}
			select {
			case status := <-ended:
				served = served || time.Since(started) >= healthyLife
				if status.Exited() && (status.ExitStatus() == exitUsage || !served && time.Since(begin) > startPatience) {
					return fmt.Errorf("%s does not start (it says why above)", d.Name)
				}
				d.sup.talk("%s died (%s); starting it again", d.Name, describe(status))
			case <-ctx.Done():
				d.stop(pid, ended, grace)
				return nil
			}
		}
		pause = nextPause(pause, time.Since(started))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// exitUsage is how a daemon says that its command line is wrong.
const exitUsage = 2

func (d *daemon) stop(pid int, ended <-chan syscall.WaitStatus, grace time.Duration) {
	_ = syscall.Kill(pid, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(grace):
		d.sup.talk("%s did not stop within %s; killing it", d.Name, grace)
		_ = syscall.Kill(pid, syscall.SIGKILL)
		<-ended
	}
}

func describe(s syscall.WaitStatus) string {
	if s.Signaled() {
		return fmt.Sprintf("signal %s", s.Signal())
	}
	return fmt.Sprintf("exit status %d", s.ExitStatus())
}

// startFiles are the three standard files of a daemon: nothing to read, and our stderr for
// what it says.
func startFiles() ([]*os.File, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	return []*os.File{null, os.Stderr, os.Stderr}, nil
}

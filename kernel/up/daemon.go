package up

import (
	"context"
	"errors"
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
	// sweep is the command that ends what this daemon leaves when it dies instead of stopping;
	// empty for one that leaves nothing.
	sweep []string

	fresh    bool // its directory is new: nothing of earlier depends on it
	served   bool // it has lived long enough to be taken for started
	gaveWord bool // that it does not start has been said
}

func newDaemon(m member, argv []string, sup *supervisor) *daemon {
	_, err := os.Stat(m.Dir)
	return &daemon{member: m, argv: argv, sup: sup, fresh: errors.Is(err, os.ErrNotExist)}
}

// run keeps the daemon alive until ctx ends, then asks it to stop and waits for it,
// grace at most before it is killed. A daemon on a new directory that refuses its
// settings, or never comes to serve, is an error. One that has state is tried on and
// named instead: the others must not lose their tasks over it.
func (d *daemon) run(ctx context.Context, grace time.Duration) error {
	var pause time.Duration
	begin := time.Now()
	for first := true; ; first = false {
		started := time.Now()
		pid, ended, err := d.sup.start(d.argv)
		if err != nil {
			d.sup.talk("%s could not be started: %v", d.Name, err)
		} else {
			if !first && !d.gaveWord {
				d.sup.talk("%s is started again (pid %d)", d.Name, pid)
			}
			select {
			case status := <-ended:
				if err := d.ended(status, started, begin); err != nil {
					return errors.Join(err, d.cleanUp(grace))
				}
			case <-ctx.Done():
				return d.stop(pid, ended, grace)
			}
		}
		pause = nextPause(pause, time.Since(started))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return d.cleanUp(grace)
		}
	}
}

// ended says what became of a daemon, and whether that is the end of all.
func (d *daemon) ended(status syscall.WaitStatus, started, begin time.Time) error {
	if time.Since(started) >= healthyLife {
		d.served, d.gaveWord = true, false
	}
	refuses := status.Exited() && (status.ExitStatus() == exitUsage || !d.served && time.Since(begin) > startPatience)
	switch {
	case refuses && d.fresh:
		return fmt.Errorf("%s does not start (it says why above)", d.Name)
	case refuses && !d.gaveWord:
		d.gaveWord = true
		d.sup.talk("%s does not start (it says why above); the others go on, and it is tried every %s", d.Name, longPause)
	case !d.gaveWord:
		d.sup.talk("%s died (%s); starting it again", d.Name, describe(status))
	}
	return nil
}

// exitUsage is how a daemon says that its command line is wrong.
const exitUsage = 2

// stop asks the daemon to end. One that does so with status 0 has cleaned up itself.
func (d *daemon) stop(pid int, ended <-chan syscall.WaitStatus, grace time.Duration) error {
	_ = syscall.Kill(pid, syscall.SIGTERM)
	var status syscall.WaitStatus
	select {
	case status = <-ended:
	case <-time.After(grace):
		d.sup.talk("%s did not stop within %s; killing it", d.Name, grace)
		_ = syscall.Kill(pid, syscall.SIGKILL)
		status = <-ended
	}
	if status.Exited() && status.ExitStatus() == 0 {
		return nil
	}
	return d.cleanUp(grace)
}

// cleanUp ends what a dead daemon has left, grace at most.
func (d *daemon) cleanUp(grace time.Duration) error {
	if len(d.sweep) == 0 {
		return nil
	}
	pid, ended, err := d.sup.start(d.sweep)
	if err != nil {
		return d.notClean(err)
	}
	select {
	case status := <-ended:
		if !status.Exited() || status.ExitStatus() != 0 {
			return d.notClean(errors.New(describe(status)))
		}
		return nil
	case <-time.After(grace):
		_ = syscall.Kill(pid, syscall.SIGKILL)
		<-ended
		return d.notClean(fmt.Errorf("not done after %s", grace))
	}
}

func (d *daemon) notClean(why error) error {
	return fmt.Errorf("%s was dead at the end, and what it left in %s could not be ended (%w): start and stop `proffer up` on this directory once more", d.Name, d.Dir, why)
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

package supervise

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/logs"
)

const (
	// spliceShare is what one stream may move before the next has its turn.
	spliceShare = 1 << 20
	// firstRetry and lastRetry bound the pauses between tries on a full disk. The
	// task meanwhile blocks on its full FIFO, as on a slow terminal.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
	// giveUp is how long what an ended task has left in its FIFO waits for room; then
	// it is dropped and the loss is logged.
	giveUp = time.Minute
)

// Output is the two streams of one container.
type Output struct {
	runtimeDir string
	streams    [2]*stream
}

type stream struct {
	out   *Output
	name  string
	fifo  int
	log   *logs.Writer
	pause time.Duration // above zero: the disk is full, tried again at `at`
	at    time.Time
	last  time.Time // above zero: the container is empty, and this is the deadline
}

// Drain moves the output of many containers into their files.
type Drain struct {
	poll *poller
	log  *slog.Logger

	mu     sync.Mutex
	jobs   []func() // to be done by the loop
	closed bool
	done   chan struct{}

	// Only the loop uses these.
	streams map[int]*stream
	blocked map[*stream]struct{}
}

// NewDrain starts a drain.
func NewDrain(log *slog.Logger) (*Drain, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	d := &Drain{poll: p, log: log, done: make(chan struct{}),
		streams: map[int]*stream{}, blocked: map[*stream]struct{}{}}
	go d.loop()
	return d, nil
}

// Add begins to drain a container. The two descriptors are the drain's from now on;
// one that is below zero (the FIFO is gone) is left out.
func (d *Drain) Add(runtimeDir, logDir string, limits logs.Limits, stdout, stderr int) *Output {
	o := &Output{runtimeDir: runtimeDir}
	for i, fd := range []int{stdout, stderr} {
		if fd < 0 {
			continue
		}
		name := [...]string{executor.StdoutStream, executor.StderrStream}[i]
		o.streams[i] = &stream{out: o, name: name, fifo: fd, log: logs.NewWriter(logDir, name, limits)}
	}
	d.do(func() {
		for _, s := range o.streams {
			if s == nil {
				continue
			}
			d.streams[s.fifo] = s
			if err := d.poll.add(s.fifo, unix.EPOLLIN); err != nil {
				d.log.Error("output is not drained", "runtime", runtimeDir, "stream", s.name, "error", err)
			}
		}
	})
	return o
}

// Flush calls then once all that was written before the call is in the files, or
// once it is clear that the disk has no room for it.
func (d *Drain) Flush(o *Output, then func()) {
	d.do(func() {
		for _, s := range o.streams {
			if s != nil && s.fifo >= 0 {
				d.moveWaiting(s)
			}
		}
		then()
	})
}

// Finish drains what is left of a container in which no process is left, and
// removes its FIFOs.
func (d *Drain) Finish(o *Output) {
	d.do(func() {
		for _, s := range o.streams {
			if s == nil || s.fifo < 0 {
				continue
			}
			s.last = time.Now().Add(giveUp)
			d.moveWaiting(s)
			if s.pause == 0 {
				d.drop(s)
			}
		}
	})
}

// Close ends the drain. What is in the FIFOs stays there for a successor.
func (d *Drain) Close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.poll.wake()
	<-d.done
}

func (d *Drain) do(job func()) {
	d.mu.Lock()
	d.jobs = append(d.jobs, job)
	d.mu.Unlock()
	d.poll.wake()
}

func (d *Drain) loop() {
	defer close(d.done)
	events := make([]unix.EpollEvent, 128)
	for {
		n, err := d.poll.wait(events, d.untilRetry())
		if err != nil {
			panic(err) // only a broken set of descriptors can do that
		}
		for _, ev := range events[:n] {
			fd := int(ev.Fd)
			if d.poll.woken(fd) {
				continue
			}
			if s := d.streams[fd]; s != nil && s.pause == 0 {
				d.move(s, spliceShare)
			}
		}
		d.retry(time.Now())
		d.mu.Lock()
		jobs, closed := d.jobs, d.closed
		d.jobs = nil
		d.mu.Unlock()
		for _, job := range jobs {
			job()
		}
		if closed {
			d.closeAll()
			return
		}
	}
}

// moveWaiting moves what is in the FIFO now. A task that never stops writing can
// not make it endless.
func (d *Drain) moveWaiting(s *stream) {
	n, err := logs.Waiting(s.fifo)
	if err == nil {
		d.move(s, n)
		return
	}
	d.block(s, err)
}

func (d *Drain) move(s *stream, limit int) {
	_, err := s.log.Splice(s.fifo, limit)
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		d.block(s, err)
		return
	}
	if s.pause > 0 {
		s.pause = 0
		delete(d.blocked, s)
		_ = d.poll.change(s.fifo, unix.EPOLLIN)
		d.log.Info("output is written again", "runtime", s.out.runtimeDir, "stream", s.name)
	}
}

// block leaves a stream alone for a while.
func (d *Drain) block(s *stream, err error) {
	if s.pause == 0 {
		d.log.Warn("output waits in its FIFO", "runtime", s.out.runtimeDir, "stream", s.name, "error", err)
		d.blocked[s] = struct{}{}
		_ = d.poll.change(s.fifo, 0)
		s.pause = firstRetry / 2
	}
	s.pause = min(2*s.pause, lastRetry)
	s.at = time.Now().Add(s.pause)
}

func (d *Drain) retry(now time.Time) {
	for s := range d.blocked {
		if s.at.After(now) {
			continue
		}
		d.moveWaiting(s)
		switch {
		case s.last.IsZero():
		case s.pause == 0:
			d.drop(s)
		case now.After(s.last):
			n, _ := logs.Waiting(s.fifo)
			d.log.Error("the last output of an ended task is lost", "runtime", s.out.runtimeDir, "stream", s.name, "bytes", n)
			d.drop(s)
		}
	}
}

func (d *Drain) untilRetry() time.Duration {
	wait := time.Duration(-1)
	for s := range d.blocked {
		if left := max(0, time.Until(s.at)); wait < 0 || left < wait {
			wait = left
		}
	}
	return wait
}

// drop ends the draining of a stream and removes its FIFO.
func (d *Drain) drop(s *stream) {
	d.release(s)
	_ = os.Remove(filepath.Join(s.out.runtimeDir, s.name))
}

func (d *Drain) release(s *stream) {
	delete(d.blocked, s)
	delete(d.streams, s.fifo)
	d.poll.remove(s.fifo)
	_ = unix.Close(s.fifo)
	s.fifo = -1
	s.log.Close()
}

func (d *Drain) closeAll() {
	for _, s := range d.streams {
		d.release(s)
	}
	d.poll.close()
}

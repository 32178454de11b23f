package cgroup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/sdk"
	"golang.org/x/sys/unix"
)

// Reached reads the kill counter of the container's own group. That counter is the
// only evidence: the signal looks like any other, and failcnt rises without a kill.
func (i *Isolator) Reached(_ context.Context, c *isolator.Container) (*isolator.Limitation, error) {
	h := i.driver.find("memory")
	if h == nil {
		return nil, nil
	}
	kills, err := i.driver.oom(h.group(c.ID))
	if err != nil || kills == 0 {
		if gone(err) {
			err = nil
		}
		return nil, err
	}
	l, err := limitsOf(c, &i.options)
	if err != nil {
		return nil, err
	}
	return limitation(kills, l), nil
}

// limitation words what the counter says.
func limitation(kills uint64, l limits) *isolator.Limitation {
	processes := "1 process"
	if kills != 1 {
		processes = strconv.FormatUint(kills, 10) + " processes"
	}
	message := fmt.Sprintf("Memory limit exceeded: the kernel killed %s at the limit", processes)
	if l.hard > 0 {
		message += fmt.Sprintf(" of %d MB", l.hard/mebibyte)
	}
	if l.raised != "" {
		message += fmt.Sprintf(" (limit too small: the task asked for %s and was given the least that a process can start in)", l.raised)
	}
	return &isolator.Limitation{Reason: sdk.ReasonContainerLimitationMemory, Message: message, Kills: true}
}

func oomKillsV1(dir string) (uint64, error) { return counter(dir+"/memory.oom_control", "oom_kill") }

// oomKillsV2 prefers the counter that leaves out groups below, where there is one.
func oomKillsV2(dir string) (uint64, error) {
	n, err := counter(dir+"/memory.events.local", "oom_kill")
	if err != nil {
		return counter(dir+"/memory.events", "oom_kill")
	}
	return n, nil
}

func counter(path, key string) (uint64, error) {
	var buf [512]byte
	text, err := read(path, buf[:])
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), " "); ok && k == key {
			return strconv.ParseUint(v, 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no line %s", path, key)
}

// watch waits for out-of-memory events of v1 groups. The kernel kills one process
// there and leaves the others, so someone must see it while they run. A container is
// armed only when it has reached a certain age: most end before that, and their
// counter is read at the end anyway.
type watch struct {
	arm  time.Duration
	born chan struct{} // has a token when there is a young one

	mu    sync.Mutex
	young []youngster         // in the order of their birth
	alive map[string]*os.File // nil until it is armed
}

type youngster struct {
	id, dir string
	born    time.Time
}

func newWatch(arm time.Duration) *watch {
	return &watch{arm: arm, born: make(chan struct{}, 1), alive: map[string]*os.File{}}
}

func (w *watch) add(id, dir string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropEnded()
	w.young = append(w.young, youngster{id, dir, time.Now()})
	w.alive[id] = nil
	select {
	case w.born <- struct{}{}:
	default:
	}
}

// rest waits until there is a young one, and then for as long as one is.
func (w *watch) rest(ctx context.Context) error {
	w.mu.Lock()
	none := len(w.young) == 0
	w.mu.Unlock()
	if none {
		select {
		case <-w.born: // an old token does no harm
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return pause(ctx, w.arm)
}

// dropEnded keeps the list short also where nobody watches.
func (w *watch) dropEnded() {
	n := 0
	for n < len(w.young) && !w.has(w.young[n].id) {
		n++
	}
	w.young = w.young[n:]
}

func (w *watch) has(id string) bool {
	_, ok := w.alive[id]
	return ok
}

func (w *watch) remove(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.alive[id]; f != nil {
		f.Close() // wakes the goroutine that reads it
	}
	delete(w.alive, id)
}

// due takes those that are old enough off the list of the young.
func (w *watch) due(now time.Time) []youngster {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []youngster
	n := 0
	for ; n < len(w.young) && now.Sub(w.young[n].born) >= w.arm; n++ {
		if w.has(w.young[n].id) {
			out = append(out, w.young[n])
		}
	}
	w.young = w.young[n:]
	return out
}

// Watch arms the events of long-lived containers and tells those that were killed
// at their memory limit, until ctx ends.
func (i *Isolator) Watch(ctx context.Context, tell func(string, isolator.Limitation)) error {
	var readers sync.WaitGroup
	defer readers.Wait()
	defer i.watch.disarm()
	for i.watch.rest(ctx) == nil {
		for _, y := range i.watch.due(time.Now()) {
			f, err := i.watch.register(y)
			switch {
			case gone(err):
			case err != nil: // no descriptors left, perhaps: later again
				i.watch.add(y.id, y.dir)
			default:
				readers.Go(func() { i.listen(f, y, tell) })
			}
		}
	}
	return ctx.Err()
}

// listen tells each event whose counter has risen. The event comes before the kill
// that it announces, and once more when the group is removed; so the counter, not
// the event, is believed, and it is looked at for a while after each event.
func (i *Isolator) listen(f *os.File, y youngster, tell func(string, isolator.Limitation)) {
	var told uint64
	for again := time.Duration(0); ; {
		kills, err := i.driver.oom(y.dir)
		if err != nil {
			i.watch.remove(y.id)
			return
		}
		if kills > told {
			told, again = kills, 0
			hard, _ := counterLine(y.dir + "/memory.limit_in_bytes")
			tell(y.id, *limitation(kills, limits{hard: hard}))
		}
		var deadline time.Time // none
		if again > 0 {
			deadline = time.Now().Add(again)
		}
		var event [8]byte
		switch err := errors.Join(f.SetReadDeadline(deadline), readEvent(f, event[:])); {
		case err == nil:
			again = time.Millisecond
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return // closed: the container is gone, or the watch ends
		case again < time.Second:
			again *= 2
		default:
			again = 0
		}
	}
}

func readEvent(f *os.File, event []byte) error {
	_, err := f.Read(event)
	return err
}

func counterLine(path string) (uint64, error) {
	var buf [64]byte
	text, err := read(path, buf[:])
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
}

// register connects an eventfd with the group's memory.oom_control.
func (w *watch) register(y youngster) (*os.File, error) {
	control, err := openAt(y.dir+"/memory.oom_control", unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(control)
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(event), "oom event of "+y.id)
	if err := write(y.dir+"/cgroup.event_control", fmt.Sprintf("%d %d", event, control)); err != nil {
		f.Close()
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.has(y.id) { // removed while this ran
		f.Close()
		return nil, os.ErrNotExist
	}
	w.alive[y.id] = f
	return f, nil
}

func (w *watch) disarm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, f := range w.alive {
		if f != nil {
			f.Close()
		}
		delete(w.alive, id)
	}
}

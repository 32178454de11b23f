package agent

import (
	"context"
	"time"
)

const (
	// aheadPause is how long a launch waits at most for those before it to start. An
	// executor that hangs only slows down the others.
	aheadPause = 250 * time.Millisecond
	// roomPause is how long a launch waits at most for the disk to get room, while
	// there is something that can go.
	roomPause = 5 * time.Second
)

// takeSlot keeps the containers that are prepared and not started yet few: they
// cost memory and disk, and preparing more of them only takes the processor from
// those that start and end.
func (a *Agent) takeSlot(ctx context.Context, x *box) {
	select {
	case a.ahead <- struct{}{}:
	default:
		limit := time.NewTimer(aheadPause)
		defer limit.Stop()
		select {
		case a.ahead <- struct{}{}:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
	x.mu.Lock()
	dead := x.state == boxDead
	x.slot = !dead
	x.mu.Unlock()
	if dead {
		<-a.ahead
	}
}

// leaveSlot gives the slot back: the task has started, or never will.
func (a *Agent) leaveSlot(x *box) {
	x.mu.Lock()
	had := x.slot
	x.slot = false
	x.mu.Unlock()
	if had {
		<-a.ahead
	}
}

// waitForRoom holds a launch back while the disk is short of room and directories
// of ended tasks are about to go. A disk that stays full fails the launch.
func (a *Agent) waitForRoom(ctx context.Context) error {
	limit := time.Now().Add(roomPause)
	for {
		a.ended.relieve()
		short := a.ended.short()
		if !short && !a.journal.reserve.full() {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(limit) || !a.ended.going() {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	if a.journal.reserve.full() {
		return errFull
	}
	return ctx.Err()
}

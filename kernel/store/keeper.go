package store

import (
	"container/heap"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Keeper counts leases down while one leader leads. Each begins with its whole
// time-to-live: while nobody led, no time passed.
type Keeper struct {
	leases map[leaseKey]*countdown
	bound  map[taskKey][]*countdown // that end with a task
	queue  countdowns
}

type taskKey struct {
	framework sdk.FrameworkID
	task      sdk.TaskID
}

func (l *Lease) boundTo() taskKey { return taskKey{l.FrameworkID, l.TaskID} }

type leaseKey struct {
	space Space
	id    string
}

type countdown struct {
	Lease
	until  time.Time // it runs out then
	queued time.Time // under which it is in the queue, never later than until
	place  int
	ending bool // its end was asked for
}

// NewKeeper counts for a leader elected at now.
func NewKeeper(now time.Time, leases []Lease) *Keeper {
	k := &Keeper{leases: map[leaseKey]*countdown{}, bound: map[taskKey][]*countdown{}}
	for _, l := range leases {
		k.Granted(now, l)
	}
	return k
}

// Granted begins with a lease.
func (k *Keeper) Granted(now time.Time, l Lease) {
	until := now.Add(l.TTL)
	c := &countdown{Lease: l, until: until, queued: until}
	k.leases[leaseKey{l.Space, l.ID}] = c
	heap.Push(&k.queue, c)
	if c.TaskID != "" {
		k.bound[c.boundTo()] = append(k.bound[c.boundTo()], c)
	}
}

// KeepAlive begins anew with a lease; CodeNotFound for one that has ended or is
// about to.
func (k *Keeper) KeepAlive(now time.Time, space Space, id string) (Lease, *sdk.Error) {
	if _, ok := k.Lease(space, id); !ok {
		return Lease{}, noLease("keep_alive.lease", id)
	}
	c := k.leases[leaseKey{space, id}]
	c.until = now.Add(c.TTL)
	return c.Lease, nil
}

// Lease is a lease that goes on; false when it has ended or is about to.
func (k *Keeper) Lease(space Space, id string) (Lease, bool) {
	c := k.leases[leaseKey{space, id}]
	if c == nil || c.ending {
		return Lease{}, false
	}
	return c.Lease, true
}

// Pardon gives every lease the time again for which this leader stood still and heard
// nobody, at most its whole time-to-live from now on. For that time it leads all the same:
// somebody else would have given them their whole time.
func (k *Keeper) Pardon(now time.Time, lag time.Duration) {
	for _, c := range k.leases {
		if c.ending {
			continue
		}
		whole := now.Add(c.TTL)
		if c.until = c.until.Add(lag); c.until.After(whole) {
			c.until = whole
		}
	}
}

// Ended forgets a lease.
func (k *Keeper) Ended(space Space, id string) {
	key := leaseKey{space, id}
	if c := k.leases[key]; c != nil {
		delete(k.leases, key)
		k.unbind(c)
		if c.place >= 0 {
			heap.Remove(&k.queue, c.place)
		}
	}
}

func (k *Keeper) unbind(c *countdown) {
	key := c.boundTo()
	some := slices.DeleteFunc(k.bound[key], func(other *countdown) bool { return other == c })
	if k.bound[key] = some; len(some) == 0 {
		delete(k.bound, key)
	}
}

// Due is when a lease may run out next; false when there is none.
func (k *Keeper) Due() (time.Time, bool) {
	if len(k.queue) == 0 || plantLeaseForEver {
		return time.Time{}, false
	}
	return k.queue[0].queued, true
}

// Empty tells whether no lease is counted.
func (k *Keeper) Empty() bool { return len(k.leases) == 0 }

// Expired are the commands that end what has run out by now; each is given once.
func (k *Keeper) Expired(now time.Time) []Command {
	var out []Command
	for len(k.queue) > 0 && !k.queue[0].queued.After(now) {
		c := k.queue[0]
		if c.until.After(now) {
			c.queued = c.until
			heap.Fix(&k.queue, 0)
			continue
		}
		heap.Pop(&k.queue)
		out = append(out, c.end(Expired))
	}
	return out
}

// TaskEnded are the commands that end the leases of a task; each is given once.
func (k *Keeper) TaskEnded(framework sdk.FrameworkID, task sdk.TaskID) []Command {
	var out []Command
	for _, c := range k.bound[taskKey{framework, task}] {
		if !c.ending {
			heap.Remove(&k.queue, c.place)
			out = append(out, c.end(TaskEnded))
		}
	}
	return out
}

// Bound are the leases that are bound to tasks and whose end was not asked for,
// by space and id.
func (k *Keeper) Bound() []Lease {
	var out []Lease
	for _, some := range k.bound {
		for _, c := range some {
			if !c.ending {
				out = append(out, c.Lease)
			}
		}
	}
	slices.SortFunc(out, compareLeases)
	return out
}

func (c *countdown) end(why Cause) Command {
	c.ending = true
	return Command{Version: CommandVersion, Type: CommandRevoke, Space: c.Space, Revoke: &Revoke{Lease: c.ID, Cause: why}}
}

// countdowns is a heap by queued.
type countdowns []*countdown

func (q countdowns) Len() int           { return len(q) }
func (q countdowns) Less(i, j int) bool { return q[i].queued.Before(q[j].queued) }
func (q countdowns) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push is for container/heap.
func (q *countdowns) Push(x any) {
	c := x.(*countdown)
	c.place = len(*q)
	*q = append(*q, c)
}

// Pop is for container/heap.
func (q *countdowns) Pop() any {
	old := *q
	c := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	c.place = -1
	return c
}

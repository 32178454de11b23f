package agent

import (
	"sync"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// executorKey names an executor on this agent.
type executorKey struct {
	framework sdk.FrameworkID
	executor  sdk.ExecutorID
}

// connections are the event streams of executors. The loop fills them, the
// handlers' goroutines write them out.
type connections struct {
	mu     sync.Mutex
	next   uint64
	byID   map[uint64]*connection
	who    map[executorKey]uint64 // subscribed: SUBSCRIBED was sent
	marked []*connection          // have something new since the last flush; the loop's
}

// connection is one stream.
type connection struct {
	id       uint64
	key      executorKey
	encoding wire.Encoding
	signal   chan struct{}
	dirty    bool // the loop's

	mu     sync.Mutex
	queue  []*sdk.ExecutorEvent
	closed bool
	err    *sdk.Error
}

func (c *connections) init() {
	c.byID, c.who = map[uint64]*connection{}, map[executorKey]uint64{}
}

func (c *connections) open(key executorKey, e wire.Encoding) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	conn := &connection{id: c.next, key: key, encoding: e, signal: make(chan struct{}, 1)}
	c.byID[conn.id] = conn
	return conn
}

// remove forgets a connection whose handler has ended.
func (c *connections) remove(conn *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byID, conn.id)
	if c.who[conn.key] == conn.id {
		delete(c.who, conn.key)
	}
}

// subscribed says whether calls other than SUBSCRIBE are taken.
func (c *connections) subscribed(key executorKey) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.who[key] != 0
}

func (c *connections) get(id uint64) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byID[id]
}

func (c *connections) send(id uint64, e *sdk.ExecutorEvent) {
	conn := c.get(id)
	if conn == nil {
		return
	}
	if e.Type == sdk.ExecutorEventSubscribed {
		c.mu.Lock()
		c.who[conn.key] = id
		c.mu.Unlock()
	}
	conn.mu.Lock()
	conn.queue = append(conn.queue, e)
	conn.mu.Unlock()
	if !conn.dirty {
		conn.dirty = true
		c.marked = append(c.marked, conn)
	}
}

func (c *connections) close(id uint64, err *sdk.Error) {
	conn := c.get(id)
	if conn == nil {
		return
	}
	c.mu.Lock()
	if c.who[conn.key] == id {
		delete(c.who, conn.key)
	}
	c.mu.Unlock()
	conn.end(err)
}

// flush wakes the writers of what was sent.
func (c *connections) flush() {
	for i, conn := range c.marked {
		conn.dirty = false
		conn.wake()
		c.marked[i] = nil
	}
	c.marked = c.marked[:0]
}

// endAll closes every stream; executors come back to the next agent.
func (c *connections) endAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.byID {
		conn.end(nil)
	}
}

func (c *connection) end(err *sdk.Error) {
	c.mu.Lock()
	c.closed, c.err = true, err
	c.mu.Unlock()
	c.wake()
}

func (c *connection) wake() {
	select {
	case c.signal <- struct{}{}:
	default:
	}
}

// take gives what waits to be written. closed is only said when nothing waits.
func (c *connection) take() (events []*sdk.ExecutorEvent, closed bool, err *sdk.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	events, c.queue = c.queue, nil
	return events, c.closed && len(events) == 0, c.err
}

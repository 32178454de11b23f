package master

import "sync"

// mailbox is a queue from many goroutines to one, which takes all that is there
// at once. Its length is bounded by its writers: each waits for the answer to what
// it put in.
type mailbox[T any] struct {
	wake chan struct{} // one waiting signal at most

	mu     sync.Mutex
	items  []T
	closed bool
}

func newMailbox[T any]() *mailbox[T] { return &mailbox[T]{wake: make(chan struct{}, 1)} }

// put appends items, together and in order; false when nobody reads any more.
func (m *mailbox[T]) put(items ...T) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.items = append(m.items, items...)
	select {
	case m.wake <- struct{}{}:
	default:
	}
	return true
}

// take gives everything that is there and keeps buf's memory for what comes.
func (m *mailbox[T]) take(buf []T) []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.items
	clear(buf)
	m.items = buf[:0]
	return out
}

// close refuses what comes and gives what was left.
func (m *mailbox[T]) close() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	out := m.items
	m.items = nil
	return out
}

package users

import (
	"sync"

	"github.com/profferhq/proffer/sdk"
)

// Pool hands out the uids from --first-uid to --last-uid, one to each container that carries a
// token, and not again before that container is gone.
type Pool struct {
	first, last uint32

	mu    sync.Mutex
	next  uint32 // where the search goes on: a uid rests as long as possible before it is used again
	byUID map[uint32]string
	byID  map[string]uint32
}

// NewPool makes a pool of the uids first to last. Zero for both makes an empty one.
func NewPool(first, last uint32) *Pool {
	return &Pool{first: first, last: last, next: first, byUID: map[uint32]string{}, byID: map[string]uint32{}}
}

// Take gives the container a uid; the same one when it has one already.
func (p *Pool) Take(container string) (uint32, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if uid, ok := p.byID[container]; ok {
		return uid, nil
	}
	if p.first == 0 || p.last < p.first {
		return 0, sdk.Errorf(sdk.CodeUnavailable, "", "a task that carries a token needs a uid of its own, and this agent has no uids for that (--first-uid, --last-uid)")
	}
	size := uint64(p.last) - uint64(p.first) + 1
	for range size {
		uid := p.next
		if p.next++; p.next > p.last || p.next == 0 {
			p.next = p.first
		}
		if _, used := p.byUID[uid]; !used {
			p.byUID[uid], p.byID[container] = container, uid
			return uid, nil
		}
	}
	return 0, sdk.Errorf(sdk.CodeExhausted, "", "all %d uids from --first-uid to --last-uid are in use by tasks that carry tokens", size)
}

// Reserve notes after a restart that the container has that uid. It is not an error
// when the range has changed meanwhile.
func (p *Pool) Reserve(container string, uid uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byUID[uid], p.byID[container] = container, uid
}

// Release takes the container's uid back. Call it when no process of the container
// is left.
func (p *Pool) Release(container string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if uid, ok := p.byID[container]; ok {
		delete(p.byUID, uid)
		delete(p.byID, container)
	}
}

// Own is the identity of a container with a uid of its own: no supplementary
// groups, and a group of the same number, so that it shares nothing with anyone.
func Own(uid uint32) Identity { return Identity{UID: uid, GID: uid, Switch: true} }

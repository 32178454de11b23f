package agent

import (
	"sync"

	"github.com/profferhq/proffer/kernel/agent/ledger"
)

// inbox collects facts for the loop. Whoever brings one never waits for the disk.
type inbox struct {
	mu     sync.Mutex
	facts  []ledger.Input
	signal chan struct{} // has one token when facts may be there
}

func newInbox() *inbox { return &inbox{signal: make(chan struct{}, 1)} }

func (b *inbox) put(facts ...ledger.Input) {
	b.mu.Lock()
	b.facts = append(b.facts, facts...)
	b.mu.Unlock()
	select {
	case b.signal <- struct{}{}:
	default:
	}
}

// take gives everything that has come; spare is reused for what comes next.
func (b *inbox) take(spare []ledger.Input) []ledger.Input {
	b.mu.Lock()
	defer b.mu.Unlock()
	facts := b.facts
	clear(spare)
	b.facts = spare[:0]
	return facts
}

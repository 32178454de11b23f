package master

import (
	"sync"

	"github.com/profferhq/proffer/sdk"
)

// readers is what readers see: the loop folds events in, requests read.
type readers struct {
	mu sync.RWMutex
}

func newReaders() *readers { return &readers{} }

func (r *readers) apply(e *sdk.OperatorEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
}

func (r *readers) state() *sdk.GetState {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return &sdk.GetState{GetTasks: &sdk.GetTasks{}, GetExecutors: &sdk.GetExecutors{}, GetFrameworks: &sdk.GetFrameworks{}, GetAgents: &sdk.GetAgents{}}
}

package agent

import "sync"

// pool runs jobs in order of submission, at most limit at once. Its goroutines
// exist only while there is work.
type pool struct {
	limit int

	mu      sync.Mutex
	queue   []func()
	running int
	idle    sync.WaitGroup
}

func newPool(limit int) *pool { return &pool{limit: limit} }

func (p *pool) submit(job func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, job)
	if p.running < p.limit {
		p.running++
		p.idle.Go(p.work)
	}
}

func (p *pool) work() {
	for {
		p.mu.Lock()
		if len(p.queue) == 0 {
			p.running--
			p.mu.Unlock()
			return
		}
		job := p.queue[0]
		p.queue[0] = nil
		p.queue = p.queue[1:]
		p.mu.Unlock()
		job()
	}
}

// drop forgets what has not begun, and waits for the rest.
func (p *pool) drop() {
	p.mu.Lock()
	p.queue = nil
	p.mu.Unlock()
	p.idle.Wait()
}

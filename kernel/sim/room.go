package sim

import (
	"time"

	"github.com/profferhq/proffer/kernel/store"
)

// narrow is the trouble of a store that has no room.
func narrow() []fault {
	return []fault{
		{"a framework's space is full", 8, func(w *world) {
			if len(w.programs) == 0 {
				return
			}
			p := w.programs[w.rng.IntN(len(w.programs))]
			p.limit = 1 // nothing may grow
			if w.chance(60) {
				p.limit = max(p.size()*uint64(30+w.rng.IntN(80))/100, 1)
			}
			d := w.between(5*time.Second, 60*time.Second)
			if w.chance(30) {
				d = w.between(time.Minute, 4*time.Minute)
			}
			w.note("the space of %s has %d bytes, %d are allowed for %v", p.f.Name(), p.size(), p.limit, d)
			p.narrows++
			n := p.narrows
			w.after(d, "there is room again for "+p.f.Name(), func() {
				if p.narrows == n {
					p.limit = 0
				}
			})
		}},
	}
}

// size is what the space takes, as limits count it.
func (p *program) size() (bytes uint64) {
	for key, k := range p.kept {
		if !k.deleted {
			bytes += store.KeyOverhead + uint64(len(key)+len(k.value))
		}
	}
	return bytes
}

// limitOf is how many bytes a space may take now; 0: the default.
func (w *world) limitOf(space store.Space) uint64 {
	for _, p := range w.programs {
		if p.f.Name() == space.Name && p.limit > 0 {
			return p.limit
		}
	}
	return w.opt.SpaceLimit
}

// grown looks at a space after a transaction: one that may not take what it does must not
// have grown.
func (p *program) grown(c *store.Command, before uint64) {
	if now := p.size(); c.Type == store.CommandCommit && c.Limit > 0 && now > c.Limit && now > before {
		p.w.fail("the space of %s has grown from %d to %d bytes, %d are allowed", p.f.Name(), before, now, c.Limit)
	}
}

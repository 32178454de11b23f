package sim

import (
	"bytes"
	"time"

	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// watching is one who watches a space at a leader.
type watching struct {
	k     *keeping
	name  string
	space store.Space
	take  func(store.Changes) bool // false: it wants no more
	ended func(*sdk.Error)
	last  time.Time // when the newest event arrives
	open  bool
}

// watchStore tells a client all changes of a space after a revision, until that ends.
func (w *world) watchStore(client string, space store.Space, after uint64, take func(store.Changes) bool, ended func(*sdk.Error)) {
	l := w.pick(client)
	w.after(w.between(time.Millisecond, 20*time.Millisecond), client+" watches the store", func() {
		if l == nil || l.dead || !w.net.reaches(client, l.m.name) {
			w.after(w.between(100*time.Millisecond, time.Second), client+" finds nothing to watch", func() {
				ended(sdk.Errorf(sdk.CodeUnavailable, "", "no master leads"))
			})
			return
		}
		past, refused := l.m.spaces.Since(space, "", after)
		if refused != nil {
			ended(refused)
			return
		}
		x := &watching{k: l.keep, name: client, space: space, take: take, ended: ended, last: w.now, open: true}
		l.keep.watches = append(l.keep.watches, x)
		for _, c := range past {
			x.send(c)
		}
		x.look()
	})
}

// send has the changes of a revision arrive, after all that was sent before.
func (x *watching) send(c store.Changes) {
	w := x.k.l.w
	at := w.now.Add(w.between(time.Millisecond, 20*time.Millisecond))
	if at.Before(x.last) {
		at = x.last
	}
	x.last = at
	lost := !w.calm && w.rng.IntN(400) == 0
	w.queue.add(at, x.name+" sees what was stored", func() {
		switch {
		case !x.open:
		case lost || !w.net.reaches(x.k.l.m.name, x.name):
			x.end()
		case !x.take(c):
			x.open = false
		}
	})
}

// look ends a watch at which nothing is heard any more.
func (x *watching) look() {
	w := x.k.l.w
	w.after(5*time.Second, x.name+" waits for what is stored", func() {
		if !x.open {
			return
		}
		if x.k.l.dead || !w.net.reaches(x.k.l.m.name, x.name) {
			x.end()
			return
		}
		x.look()
	})
}

func (x *watching) end() {
	if x.open {
		x.open = false
		w := x.k.l.w
		w.after(w.between(0, 2*time.Second), x.name+" watches no more", func() { x.ended(sdk.Errorf(sdk.CodeUnknown, "", "the watch ended")) })
	}
}

// tell tells those who watch.
func (k *keeping) tell(c store.Changes) {
	kept := k.watches[:0]
	for _, x := range k.watches {
		if !x.open {
			continue
		}
		if kept = append(kept, x); len(c.List) > 0 && x.space == c.Space {
			x.send(c)
		}
	}
	clear(k.watches[len(kept):])
	k.watches = kept
}

const (
	standbyAfter = 200 * time.Millisecond
	warmBound    = time.Second
)

func (i *instance) space() store.Space {
	return store.Space{Principal: i.p.f.Name(), Name: i.p.f.Name()}
}

// follow keeps a copy of the space while the instance waits to lead.
func (i *instance) follow() {
	i.store(&sdk.StoreCall{Type: sdk.StoreCallList, List: &sdk.StoreList{}}, func(r *sdk.StoreResponse, err *sdk.Error) {
		switch {
		case i.mind != nil:
		case err != nil:
			i.soon(time.Second, time.Second, "tries again to follow", i.follow)
		default:
			i.copied.Reset(r.KVs, r.Revision)
			i.goOn()
		}
	})
}

// goOn watches from where the copy is.
func (i *instance) goOn() {
	life := i.life
	i.w.watchStore(i.name, i.space(), i.copied.At(), func(c store.Changes) bool {
		if !i.up || i.life != life || i.mind != nil {
			return false
		}
		for n, x := range c.List {
			if !i.w.calm && i.w.rng.IntN(2000) == 0 {
				i.soon(0, time.Second, "goes on to follow", i.goOn)
				return false // in the middle of a revision
			}
			i.copied.Apply(c.Revision, *clone(i.w, &x), n+1 < len(c.List))
		}
		return true
	}, func(err *sdk.Error) {
		switch {
		case !i.up || i.life != life || i.mind != nil:
		case err.Code == sdk.CodeGone:
			i.follow() // it was too slow, or is ahead of this master
		default:
			i.soon(20*time.Millisecond, time.Second, "goes on to follow", i.goOn)
		}
	})
}

// load finds out what the instance must know now that it leads: all up to the key by which
// it does.
func (i *instance) load() {
	i.store(&sdk.StoreCall{Type: sdk.StoreCallGet, Get: &sdk.StoreGet{Key: keyLeader}}, func(r *sdk.StoreResponse, err *sdk.Error) {
		switch {
		case err == nil:
			i.warm(r.KVs[0].Modified, i.w.now.Add(warmBound))
		case err.Code == sdk.CodeNotFound:
			i.list(0)
		default:
			i.again(i.load)
		}
	})
}

// warm takes over from the copy, when it has all in time.
func (i *instance) warm(revision uint64, until time.Time) {
	kvs, whole := i.copied.Upto(revision)
	switch {
	case whole:
		i.w.note("%s takes over from its copy at %d", i.name, i.copied.At())
		i.p.taken(i.name, kvs, revision, i.copied.At())
		i.lead(kvs)
	case i.copied.At() == 0 || !i.w.now.Before(until):
		i.list(revision)
	default:
		i.soon(10*time.Millisecond, 50*time.Millisecond, "waits for the rest", func() { i.warm(revision, until) })
	}
}

// list reads the whole space.
func (i *instance) list(revision uint64) {
	i.store(&sdk.StoreCall{Type: sdk.StoreCallList, List: &sdk.StoreList{}}, func(r *sdk.StoreResponse, err *sdk.Error) {
		if err != nil {
			i.again(func() { i.list(revision) })
			return
		}
		i.p.taken(i.name, r.KVs, revision, r.Revision)
		i.lead(r.KVs)
	})
}

// stored is the last that was done to a key.
type stored struct {
	revision uint64
	deleted  bool
	value    []byte
}

// keep notes each transaction of the space once, in the order of the log.
func (p *program) keep(command *store.Command, c store.Changes) {
	var before uint64
	if command.Limit > 0 {
		before = p.size()
	}
	for i := range c.List {
		x := &c.List[i]
		p.kept[x.KV.Key] = stored{c.Revision, x.Deleted, x.KV.Value}
	}
	p.grown(command, before)
}

// taken looks at what an instance takes over from, which is said to be as of a revision:
// all that was stored up to the key by which it leads must be in it, and nothing else but
// what came later.
func (p *program) taken(who string, kvs []sdk.StoreKV, leads, at uint64) {
	have := map[string]bool{}
	for _, kv := range kvs {
		have[kv.Key] = true
		if k, ok := p.kept[kv.Key]; !ok || k.revision <= max(leads, at) && (k.deleted || k.revision != kv.Modified || !bytes.Equal(k.value, kv.Value)) {
			p.w.fail("%s takes over at revision %d with %s of revision %d, leading since %d; the store has revision %d, deleted: %t", who, at, kv.Key, kv.Modified, leads, k.revision, k.deleted)
		}
	}
	for key, k := range p.kept {
		if !k.deleted && k.revision <= max(leads, at) && !have[key] {
			p.w.fail("%s takes over at revision %d without a key that was stored at or before it, leading since %d", who, at, leads)
		}
	}
}

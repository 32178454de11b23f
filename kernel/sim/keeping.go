package sim

import (
	"time"

	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// keeping is what a leader does for the store: it counts leases down, and answers
// those who read and write.
type keeping struct {
	l       *leader
	keeper  *store.Keeper
	ticking time.Time
	watches []*watching
}

func newKeeping(l *leader, leases []store.Lease) *keeping {
	return &keeping{l: l, keeper: store.NewKeeper(l.m.clock.now(), leases)}
}

// observe sees what was applied.
func (k *keeping) observe(r store.Result) {
	k.tell(r.Changes)
	if r.Granted != nil {
		k.keeper.Granted(k.l.m.clock.now(), *r.Granted)
		k.plan()
	}
	if r.Ended != nil {
		k.keeper.Ended(r.Ended.Space, r.Ended.ID)
	}
}

// plan has the next look come when it is due.
func (k *keeping) plan() {
	shown, ok := k.keeper.Due()
	if !ok || k.l.dead {
		return
	}
	w, due := k.l.w, k.l.m.clock.real(shown)
	if !k.ticking.IsZero() && !k.ticking.After(due) {
		return
	}
	k.ticking = due
	w.queue.add(due, k.l.name+" looks at leases", func() {
		if !k.ticking.Equal(due) || k.l.dead {
			return
		}
		k.ticking = time.Time{}
		for _, c := range k.keeper.Expired(k.l.m.clock.now()) {
			k.end(c)
		}
		k.plan()
	})
}

// end proposes the end of a lease until it is decided.
func (k *keeping) end(c store.Command) {
	k.l.w.note("%s ends the lease %s", k.l.name, c.Revoke.Lease)
	k.write(c, func(_ store.Result, err error) {
		if err != nil && !k.l.dead {
			k.l.w.after(100*time.Millisecond, "again", func() {
				if !k.l.dead {
					k.end(c)
				}
			})
		}
	})
}

func (k *keeping) write(c store.Command, answer func(store.Result, error)) {
	k.l.m.propose(k.l, nil, clone(k.l.w, &c), func(a applied) { answer(a.store, nil) }, func(err error) { answer(store.Result{}, err) })
}

// storeAnswer takes what a client of the store learns.
type storeAnswer func(*sdk.StoreResponse, *sdk.Error)

// answer does one call, as kernel/master does.
func (k *keeping) answer(call *sdk.StoreCall, who store.Caller, answer storeAnswer) {
	w := k.l.w
	space, refused := store.SpaceOf(call, who)
	if refused != nil {
		answer(nil, refused)
		return
	}
	switch call.Type {
	case sdk.StoreCallGet, sdk.StoreCallList, sdk.StoreCallKeepAlive:
		known := w.acknowledged
		k.l.m.confirm(func(leads bool) {
			if !leads || k.l.dead {
				answer(nil, sdk.Errorf(sdk.CodeUnavailable, "", "this master does not lead"))
				return
			}
			if call.Type == sdk.StoreCallKeepAlive {
				lease, refused := k.keeper.KeepAlive(k.l.m.clock.now(), space, call.KeepAlive.Lease)
				answer(&sdk.StoreResponse{Type: call.Type, Lease: lease.Message()}, refused)
				return
			}
			if at := k.l.m.spaces.Index(); at < known && k.l.m.applied < known {
				w.fail("%s reads at revision %d, after revision %d was acknowledged", k.l.name, at, known)
			}
			answer(k.l.m.spaces.Answer(call, space))
		})
		return
	}
	c, refused := store.CommandOf(call, space, who, w.limitOf(space))
	if refused != nil {
		answer(nil, refused)
		return
	}
	k.write(c, func(r store.Result, err error) {
		if err != nil {
			answer(nil, sdk.Errorf(sdk.CodeUnknown, "", "%v", err))
			return
		}
		w.acknowledged = max(w.acknowledged, r.Index)
		answer(store.ResponseOf(call, r))
	})
}

// storeCall asks the store for a client. It is answered once: also where a message gets
// lost on the way there or back.
func (w *world) storeCall(client string, who store.Caller, call *sdk.StoreCall, answer storeAnswer) {
	l := w.pick(client)
	if l == nil {
		w.after(w.between(100*time.Millisecond, time.Second), client+" finds no store", func() {
			answer(nil, sdk.Errorf(sdk.CodeUnavailable, "", "no master leads"))
		})
		return
	}
	w.result.Operations++
	call = clone(w, call)
	over := false
	once := func(r *sdk.StoreResponse, err *sdk.Error) {
		if !over {
			over = true
			answer(r, err)
		}
	}
	w.after(w.between(6*time.Second, 7*time.Second), client+" waits for the store", func() {
		once(nil, sdk.Errorf(sdk.CodeUnknown, "", "no answer"))
	})
	late := w.between(time.Millisecond, 20*time.Millisecond)
	if !w.calm && w.rng.IntN(250) == 0 {
		late = w.between(7*time.Second, 40*time.Second) // a master on the way was stopped: nobody waits for it any more
	}
	w.after(late, client+" asks the store: "+string(call.Type), func() {
		if l.dead {
			l = l.m.leading()
		}
		if l == nil || !w.net.reaches(client, l.m.name) || !w.calm && w.rng.IntN(300) == 0 {
			return
		}
		l.keep.answer(call, who, func(r *sdk.StoreResponse, err *sdk.Error) {
			if !w.net.reaches(l.m.name, client) || !w.calm && w.rng.IntN(300) == 0 {
				return
			}
			w.after(w.between(time.Millisecond, 20*time.Millisecond), client+" has an answer of the store", func() { once(r, err) })
		})
	})
}

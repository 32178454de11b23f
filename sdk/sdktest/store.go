package sdktest

import (
	"net/http"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	kernelstore "github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/store"
	"github.com/profferhq/proffer/sdk/wire"
)

// Store is options for a principal's space on this kernel, opened with the
// kernel's own token. A lease that a task should take, and that ends with it,
// needs the TaskToken instead.
func (k *Kernel) Store(principal, space string) store.Options {
	o := store.FromEnv(space)
	o.Addrs, o.Token, o.TokenFile, o.Transport = []string{k.Addr()}, k.Token(), "", k.transport()
	o.Principal = principal
	return o
}

// watching is one open WATCH.
type watching struct {
	*stream
	space  kernelstore.Space
	prefix string
}

// storeHeartbeat is how often a watch says at least something.
const storeHeartbeat = 5 * time.Second

func (k *Kernel) serveStore(w http.ResponseWriter, r *http.Request, who caller) {
	call, enc, err := oneCall[sdk.StoreCall](r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	space, refused := kernelstore.SpaceOf(call, who.store())
	if refused != nil {
		refuse(w, r, refused)
		return
	}
	if call.Type == sdk.StoreCallWatch {
		k.watchStore(w, r, call, space, enc)
		return
	}
	answer, refused := k.storeCall(call, space, who.store())
	if refused != nil {
		refuse(w, r, refused)
		return
	}
	write(w, enc, http.StatusOK, answer)
}

// storeCall answers every call but WATCH.
func (k *Kernel) storeCall(call *sdk.StoreCall, space kernelstore.Space, who kernelstore.Caller) (*sdk.StoreResponse, *sdk.Error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pump() // leases may have run out
	switch call.Type {
	case sdk.StoreCallGet, sdk.StoreCallList:
		return k.store.Answer(call, space)
	case sdk.StoreCallKeepAlive:
		if call.KeepAlive == nil {
			return nil, kernelstore.Incomplete(call)
		}
		l, err := k.keeper.KeepAlive(k.now(), space, call.KeepAlive.Lease)
		return &sdk.StoreResponse{Type: call.Type, Revision: k.store.Index(), Lease: l.Message()}, err
	}
	cmd, err := kernelstore.CommandOf(call, space, who, k.opts.StoreLimit)
	if err != nil {
		return nil, err
	}
	result := k.commitStore(cmd)
	k.pump()
	if k.loseWrites > 0 {
		k.loseWrites--
		return nil, sdk.Errorf(sdk.CodeUnknown, "", "write to the store: no majority of masters confirmed it in time")
	}
	return kernelstore.ResponseOf(call, result)
}

// commitStore is consensus about the store, and tells who watches. k.mu is held.
func (k *Kernel) commitStore(c kernelstore.Command) kernelstore.Result {
	k.index++
	r := k.store.Apply(k.index, c)
	if r.Granted != nil {
		k.keeper.Granted(k.now(), *r.Granted)
	}
	if r.Ended != nil {
		k.keeper.Ended(r.Ended.Space, r.Ended.ID)
	}
	for w := range k.watches {
		if w.space == r.Changes.Space {
			w.tell(r.Changes)
		}
	}
	return r
}

// keepStore ends the leases that ran out, or whose task has ended, and tells
// whether there were any. k.mu is held.
func (k *Kernel) keepStore() bool {
	ends := k.keeper.Expired(k.now())
	for _, l := range k.keeper.Bound() {
		if k.mind.LifeOf(l.FrameworkID, l.TaskID, l.AgentID) == cluster.Ended {
			ends = append(ends, k.keeper.TaskEnded(l.FrameworkID, l.TaskID)...)
		}
	}
	for _, c := range ends {
		k.commitStore(c)
	}
	return len(ends) > 0
}

func (w *watching) tell(c kernelstore.Changes) {
	if c = c.Below(w.prefix); len(c.List) > 0 {
		w.push(kernelstore.EventOf(c))
	}
}

// watchStore streams the changes of a space.
func (k *Kernel) watchStore(w http.ResponseWriter, r *http.Request, call *sdk.StoreCall, space kernelstore.Space, enc wire.Encoding) {
	prefix, after, refused := kernelstore.Watched(call)
	if refused != nil {
		refuse(w, r, refused)
		return
	}
	one := &watching{stream: newStream(), space: space, prefix: prefix}
	one.every, one.pulse = storeHeartbeat, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		one.push(&sdk.StoreEvent{Type: sdk.StoreEventHeartbeat, Revision: k.store.Index()})
	}
	k.mu.Lock()
	past, refused := k.store.Since(space, prefix, after)
	if refused == nil {
		one.push(&sdk.StoreEvent{Type: sdk.StoreEventWatching, Revision: after, HeartbeatIntervalSeconds: storeHeartbeat.Seconds()})
		for _, c := range past {
			one.tell(c)
		}
		k.watches[one] = struct{}{}
	}
	k.mu.Unlock()
	if refused != nil {
		refuse(w, r, refused)
		return
	}
	one.serve(w, r, enc)
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.watches, one)
}

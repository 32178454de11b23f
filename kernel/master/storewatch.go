package master

import (
	"time"

	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// Limits of watches: how many there may be, and how much may wait for one reader.
const (
	maxWatches    = 10000
	maxWatchQueue = 8 << 20 // bytes
)

// storeHeartbeat is how often a watch says at least something.
const storeHeartbeat = 5 * time.Second

// watch opens a WATCH: the history from after the revision, then what comes. It
// is called under the state machine's lock, so that nothing comes in between.
func (k *keeping) watch(w *watch, past []store.Changes, after uint64) *sdk.Error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.ended:
		return notLeading()
	case k.count >= maxWatches:
		return sdk.Errorf(sdk.CodeExhausted, "", "%d watches are open, as many as a master serves", k.count)
	}
	w.put(&sdk.StoreEvent{Type: sdk.StoreEventWatching, Revision: after, HeartbeatIntervalSeconds: storeHeartbeat.Seconds()})
	for _, c := range past {
		w.tell(c)
	}
	w.every, w.pulse = storeHeartbeat, func() { k.beat(w) }
	enter(k.watches, w.space, w)
	if w.token.TaskID != "" {
		enter(k.tokened, keyOf(&w.token), w)
	}
	k.count++
	k.metrics.streams.WithLabelValues(string(w.kind)).Inc()
	return nil
}

// beat tells a watch up to which revision it has everything.
func (k *keeping) beat(w *watch) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w.put(&sdk.StoreEvent{Type: sdk.StoreEventHeartbeat, Revision: k.revision})
}

// unwatch forgets a watch that is over.
func (k *keeping) unwatch(w *watch) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !leave(k.watches, w.space, w) {
		return
	}
	leave(k.tokened, keyOf(&w.token), w)
	k.count--
	k.metrics.streams.WithLabelValues(string(w.kind)).Dec()
}

// enter and leave keep sets by key, none of them empty.
func enter[K comparable](m map[K]map[*watch]struct{}, key K, w *watch) {
	if m[key] == nil {
		m[key] = map[*watch]struct{}{}
	}
	m[key][w] = struct{}{}
}

func leave[K comparable](m map[K]map[*watch]struct{}, key K, w *watch) bool {
	_, there := m[key][w]
	if delete(m[key], w); len(m[key]) == 0 {
		delete(m, key)
	}
	return there
}

// end ends all watches: this master leads no longer.
func (k *keeping) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = true
	for _, some := range k.watches {
		for w := range some {
			w.end("")
		}
	}
}

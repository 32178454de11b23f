package master

import (
	"context"
	"net/http"
	"time"

	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// storeCaller is the caller as the store sees it.
func (c caller) storeCaller() store.Caller {
	s := store.Caller{Principal: c.Principal, Operator: c.mind().Operator}
	if t := c.token(); t != nil {
		s.FrameworkID, s.TaskID, s.AgentID = t.FrameworkID, t.TaskID, t.AgentID
	}
	return s
}

// serveStore takes calls about the frameworks' key-value spaces.
func (m *Master) serveStore(w http.ResponseWriter, req *http.Request, who caller) {
	call, err := readCall[sdk.StoreCall](m, w, req)
	if err != nil {
		refuse(w, req, err)
		return
	}
	e, ok := acceptable(w, req)
	if !ok {
		return
	}
	l := m.leader()
	if l == nil {
		refuse(w, req, notLeading())
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), m.opts.StoreTimeout)
	defer cancel()
	space, serr := store.SpaceOf(call, who.storeCaller())
	if serr == nil {
		serr = l.taskLives(ctx, who)
	}
	if serr != nil && serr.Code == sdk.CodeUnavailable && call.KeepAlive != nil && l.keep.boundTo(who.token(), space, call.KeepAlive.Lease) {
		serr = nil // the agent is not known, but the lease is proof enough of the task
	}
	if serr != nil {
		refuse(w, req, serr)
		return
	}
	s := storeCall{m: m, l: l, who: who, call: call, space: space}
	if err := s.strange(); err != nil {
		refuse(w, req, err)
		return
	}
	if s.call.Type == sdk.StoreCallWatch {
		s.watch(ctx, w, req, e)
		return
	}
	answer, err := s.answer(ctx)
	m.metrics.storeCall(s.call.Type, err)
	if err != nil {
		refuse(w, req, err)
		return
	}
	message(w, req, e, answer)
}

// taskLives refuses the token of a task that has ended.
func (l *leader) taskLives(ctx context.Context, who caller) *sdk.Error {
	token := who.token()
	if token == nil || l.keep.livesNow(token) {
		return nil
	}
	x := newExchange(1)
	if !l.inbox.put(item{token: token, lives: true, asks: x}) {
		return notLeading()
	}
	select {
	case <-x.done:
		return x.err
	case <-ctx.Done():
		return sdk.Errorf(sdk.CodeUnavailable, "", "the caller is gone, or this master too busy to say whether the task of its token lives; nothing was done")
	}
}

// storeCall is one call about a space that the caller may use.
type storeCall struct {
	m     *Master
	l     *leader
	who   caller
	call  *sdk.StoreCall
	space store.Space
}

// answer answers every call but WATCH, before ctx ends: a write that the disks have not
// confirmed by then with CodeUnknown.
func (s *storeCall) answer(ctx context.Context) (*sdk.StoreResponse, error) {
	switch s.call.Type {
	case sdk.StoreCallGet, sdk.StoreCallList:
		// All that was answered as written is applied here, if this master leads.
		if err := s.m.consensus.VerifyLeader(ctx); err != nil {
			return nil, err
		}
		var answer *sdk.StoreResponse
		var refused *sdk.Error
		s.m.consensus.ViewStore(func(st *store.State) { answer, refused = st.Answer(s.call, s.space) })
		return answer, orNil(refused)
	case sdk.StoreCallKeepAlive:
		if s.call.KeepAlive == nil {
			return nil, store.Incomplete(s.call)
		}
		if err := s.m.consensus.VerifyLeader(ctx); err != nil {
			return nil, err
		}
		lease, revision, refused := s.l.keep.keepAlive(s.space, s.call.KeepAlive.Lease)
		if refused != nil {
			return nil, refused
		}
		return &sdk.StoreResponse{Type: s.call.Type, Revision: revision, Lease: lease.Message()}, nil
	}
	cmd, refused := store.CommandOf(s.call, s.space, s.who.storeCaller(), uint64(s.m.opts.StoreLimit))
	if refused != nil {
		return nil, refused
	}
	result, err := s.m.consensus.ProposeStore(ctx, cmd)
	if err != nil {
		return nil, err
	}
	answer, refused := store.ResponseOf(s.call, result)
	return answer, orNil(refused)
}

// orNil keeps a nil *sdk.Error from becoming an error that is not nil.
func orNil(e *sdk.Error) error {
	if e == nil {
		return nil
	}
	return e
}

// watch answers WATCH with its stream, which begins before ctx ends.
func (s *storeCall) watch(ctx context.Context, w http.ResponseWriter, req *http.Request, e wire.Encoding) {
	prefix, after, refused := store.Watched(s.call)
	err := orNil(refused)
	if err == nil {
		err = s.m.consensus.VerifyLeader(ctx)
	}
	if err != nil {
		refuse(w, req, err)
		return
	}
	one := &watch{stream: newStream(storeStream, newSession(), s.m.opts.MaxQueue), space: s.space, prefix: prefix}
	one.most = maxWatchQueue
	if t := s.who.token(); t != nil {
		one.token = *t
	}
	s.m.consensus.ViewStore(func(st *store.State) {
		past, gone := st.Since(s.space, prefix, after)
		if gone == nil {
			gone = s.l.keep.watch(one, past, after)
		}
		err = orNil(gone)
	})
	s.m.metrics.storeCall(s.call.Type, err)
	if err != nil {
		refuse(w, req, err)
		return
	}
	defer s.l.keep.unwatch(one)
	s.m.serveStream(w, req, e, one.stream)
}

// observeStore tells the leader, if this master is it, what was applied.
func (m *Master) observeStore(c *store.Command, r store.Result) {
	if k := m.keeps.Load(); k != nil {
		k.applied(r)
		if r.Ended != nil {
			m.metrics.leasesEnded.WithLabelValues(string(c.Revoke.Cause)).Inc()
		}
	}
}

// keepStore begins to keep the store for a leader.
func (m *Master) keepStore(l *leader) {
	// Between the leases that are counted here and the first command that is
	// observed none may be missed: the lock holds up both.
	m.consensus.ViewStore(func(s *store.State) {
		l.keep = newKeeping(time.Now(), s, l.log, m.metrics, m.consensus.ProposeStore)
		m.keeps.Store(l.keep)
	})
}

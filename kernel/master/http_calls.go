package master

import (
	"context"
	"net/http"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

const streamHeader = "Mesos-Stream-Id"

// serveScheduler takes calls of frameworks.
func (m *Master) serveScheduler(w http.ResponseWriter, req *http.Request, who caller) {
	calls, err := readCalls[sdk.Call](m, w, req)
	if err != nil {
		refuse(w, req, err)
		return
	}
	for i := range calls {
		if calls[i].Type == sdk.CallSubscribe {
			m.subscribe(w, req, who, calls)
			return
		}
	}
	items := make([]item, len(calls))
	session := cluster.Session(req.Header.Get(streamHeader))
	for i := range calls {
		n := m.requests.Add(1)
		items[i] = item{request: n, token: who.token(),
			in: cluster.SchedulerCall{Request: n, Session: session, Caller: who.mind(), Call: &calls[i]}}
	}
	m.exchange(w, req, items)
}

// subscribe opens a framework's stream.
func (m *Master) subscribe(w http.ResponseWriter, req *http.Request, who caller, calls []sdk.Call) {
	if len(calls) > 1 {
		refuse(w, req, sdk.Errorf(sdk.CodeInvalid, "type", "SUBSCRIBE must be the only call of its body"))
		return
	}
	if _, named := req.Header[streamHeader]; named {
		refuse(w, req, sdk.Errorf(sdk.CodeInvalid, "", "Subscribe calls should not include the 'Mesos-Stream-Id' header"))
		return
	}
	e, ok := acceptable(w, req)
	if !ok {
		return
	}
	if err := m.consensus.VerifyLeader(req.Context()); err != nil {
		refuse(w, req, err)
		return
	}
	s := newStream(schedulerStream, newSession(), m.opts.MaxQueue)
	if t := who.token(); t != nil {
		s.token = *t
	}
	n := m.requests.Add(1)
	err := m.openStream(w, req, e, s, item{request: n, token: who.token(),
		in: cluster.Subscribe{Request: n, Session: s.session, Caller: who.mind(), Call: &calls[0]}})
	if err != nil {
		refuse(w, req, err)
	}
}

// serveAgent takes calls of agents.
func (m *Master) serveAgent(w http.ResponseWriter, req *http.Request, _ caller) {
	turn := noTurn
	if req.Header.Get(link.SessionHeader) == "" {
		turn = m.reportTurn
	}
	calls, err := readCallsIn[link.Call](m, w, req, turn)
	if err != nil {
		refuse(w, req, err)
		return
	}
	for i := range calls {
		if err := calls[i].Validate(); err != nil {
			refuse(w, req, err)
			return
		}
		if calls[i].Type == link.CallRegister {
			m.register(w, req, calls)
			return
		}
	}
	session := cluster.Session(req.Header.Get(link.SessionHeader))
	if session == "" {
		refuse(w, req, sdk.Errorf(sdk.CodeInvalid, link.SessionHeader, "must name the stream that REGISTER was answered with"))
		return
	}
	items := make([]item, len(calls))
	for i := range calls {
		n := m.requests.Add(1)
		items[i] = item{request: n, in: cluster.AgentCall{Request: n, Session: session, Call: &calls[i]}}
	}
	m.exchange(w, req, items)
}

// reportsAtOnce is how many agents' reports are decoded at a time. A thousand agents come
// back to a new leader at once, and raft's signs of life wait behind all that is decoded:
// a leader that is busy with too many leads no longer.
const reportsAtOnce = 8

// reportTurn waits until a report may be decoded; over ends that.
func (m *Master) reportTurn(ctx context.Context) (over func(), err error) {
	select {
	case m.reports <- struct{}{}:
		return func() { <-m.reports }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// register opens an agent's stream.
func (m *Master) register(w http.ResponseWriter, req *http.Request, calls []link.Call) {
	if len(calls) > 1 {
		refuse(w, req, sdk.Errorf(sdk.CodeInvalid, "type", "REGISTER must be the only call of its body"))
		return
	}
	e, ok := acceptable(w, req)
	if !ok {
		return
	}
	if err := m.consensus.VerifyLeader(req.Context()); err != nil {
		refuse(w, req, err)
		return
	}
	l := m.leader()
	if l == nil {
		refuse(w, req, notLeading())
		return
	}
	s := newStream(agentStream, newSession(), m.opts.MaxQueue)
	s.opened = func() (end func()) {
		return m.reach(req.Context(), calls[0].Register, l.reachLater(calls[0].Register), func(message string) {
			if l := m.leader(); l != nil {
				l.inbox.put(item{in: cluster.AgentNotice{Session: s.session, Message: message}})
			}
		})
	}
	n := m.requests.Add(1)
	err := m.openStream(w, req, e, s, item{request: n, in: cluster.AgentRegister{Request: n, Session: s.session, Call: &calls[0]}})
	if err != nil {
		refuse(w, req, err)
	}
}

// exchange steps the calls of one body, in their order and together, and answers
// when all of them are: with the first refusal, or 202, or 200.
func (m *Master) exchange(w http.ResponseWriter, req *http.Request, items []item) {
	l := m.leader()
	x := newExchange(len(items))
	for i := range items {
		items[i].asks, items[i].at = x, i
	}
	if l == nil || !l.inbox.put(items...) {
		refuse(w, req, notLeading())
		return
	}
	select {
	case <-x.done:
	case <-req.Context().Done():
		return // nobody is left to answer; the calls are carried out all the same
	}
	switch err := x.refusal(len(items)); {
	case err != nil:
		refuse(w, req, err)
	case x.ok:
		empty(w, http.StatusOK)
	default:
		empty(w, http.StatusAccepted)
	}
}

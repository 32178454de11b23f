package master

import (
	"net/http"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// serveOperator takes calls of operators.
func (m *Master) serveOperator(w http.ResponseWriter, req *http.Request, who caller) {
	call, err := readCall[sdk.OperatorCall](m, w, req)
	if err != nil {
		refuse(w, req, err)
		return
	}
	switch call.Type {
	case "", sdk.OperatorUnknown:
		refuse(w, req, sdk.Errorf(sdk.CodeInvalid, "type", "Expecting 'type' to be present, with the name of a call that this master knows"))
	case sdk.OperatorTeardown, sdk.OperatorKillTask, sdk.OperatorUpdateWeights, sdk.OperatorSetBootManifest,
		sdk.OperatorMarkGone, sdk.OperatorDrain, sdk.OperatorDeactivate, sdk.OperatorReactivate,
		sdk.OperatorAddMaster, sdk.OperatorRemoveMaster, sdk.OperatorTransferLeadership:
		if !who.mind().Operator {
			refuse(w, req, sdk.Errorf(sdk.CodeDenied, "Authorization", "%s needs an operator's token", call.Type))
			return
		}
		if isMasterCall(call.Type) {
			m.serveMasterCall(w, req, call)
			return
		}
		n := m.requests.Add(1)
		m.exchange(w, req, []item{{request: n, in: cluster.OperatorCall{Request: n, Caller: who.mind(), Call: call}}})
	case sdk.OperatorSubscribe:
		e, ok := acceptable(w, req)
		if !ok {
			return
		}
		s := newStream(operatorStream, newSession(), m.opts.MaxQueue)
		s.every = m.opts.Heartbeat
		s.pulse = func() { s.put(&sdk.OperatorEvent{Type: sdk.OperatorEventHeartbeat}) }
		if err := m.openStream(w, req, e, s, item{beat: m.opts.Heartbeat}); err != nil {
			refuse(w, req, err)
		}
	default:
		m.read(w, req, call)
	}
}

// read answers a call that changes nothing, from what readers see.
func (m *Master) read(w http.ResponseWriter, req *http.Request, call *sdk.OperatorCall) {
	e, ok := acceptable(w, req)
	if !ok {
		return
	}
	l := m.leader()
	if l == nil {
		refuse(w, req, notLeading())
		return
	}
	answer := &sdk.OperatorResponse{Type: sdk.OperatorResponseType(call.Type)}
	switch call.Type {
	case sdk.OperatorGetHealth:
		answer.GetHealth = &sdk.GetHealth{Healthy: true}
	case sdk.OperatorGetVersion:
		answer.GetVersion = &sdk.GetVersion{VersionInfo: sdk.VersionInfo{Version: m.opts.Version}}
	case sdk.OperatorGetWeights:
		// The registry of a leader has applied whatever this leader answered.
		m.consensus.View(func(s *registry.State) { answer.GetWeights = cluster.Weights(s) })
	case sdk.OperatorGetBootManifest:
		m.consensus.View(func(s *registry.State) { answer.GetBootManifest = cluster.BootManifest(s) })
	case sdk.OperatorGetBoot:
		answer.GetBoot = l.init.Status()
	case sdk.OperatorGetMaster:
		info := l.info
		answer.GetMaster = &sdk.GetMaster{MasterInfo: &info, StartTime: unixSeconds(m.started), ElectedTime: unixSeconds(l.elected)}
	default:
		if answer = l.view.answer(call.Type); answer == nil {
			refuse(w, req, sdk.Errorf(sdk.CodeInvalid, "type", "%q is not a call that this master answers", string(call.Type)))
			return
		}
	}
	message(w, req, e, answer)
}

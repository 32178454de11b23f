package sdktest

import (
	"net/http"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/view"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

func (k *Kernel) serveOperator(w http.ResponseWriter, r *http.Request, who caller) {
	if !who.operator() {
		refuse(w, r, sdk.Errorf(sdk.CodeDenied, "Authorization", "a token of the kind %s may not use %s", who.Kind, r.URL.Path))
		return
	}
	call, enc, err := oneCall[sdk.OperatorCall](r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	switch call.Type {
	case sdk.OperatorTeardown, sdk.OperatorKillTask, sdk.OperatorUpdateWeights, sdk.OperatorSetBootManifest,
		sdk.OperatorMarkGone, sdk.OperatorDrain, sdk.OperatorDeactivate, sdk.OperatorReactivate:
		if err := k.request(func(request uint64) cluster.Input {
			return cluster.OperatorCall{Request: request, Caller: who.mind(), Call: call}
		}); err != nil {
			refuse(w, r, err)
			return
		}
		w.WriteHeader(http.StatusOK)
	case sdk.OperatorSubscribe:
		k.watch(w, r, enc)
	default:
		answer := k.read(call.Type)
		if answer == nil {
			refuse(w, r, sdk.Errorf(sdk.CodeInvalid, "type", "%q is not a call that this master answers", string(call.Type)))
			return
		}
		write(w, enc, http.StatusOK, answer)
	}
}

// read answers a call that changes nothing; nil for one that is unknown.
func (k *Kernel) read(call sdk.OperatorCallType) *sdk.OperatorResponse {
	k.mu.Lock()
	defer k.mu.Unlock()
	answer := &sdk.OperatorResponse{Type: sdk.OperatorResponseType(call)}
	switch call {
	case sdk.OperatorGetHealth:
		answer.GetHealth = &sdk.GetHealth{Healthy: true}
	case sdk.OperatorGetVersion:
		answer.GetVersion = &sdk.GetVersion{VersionInfo: sdk.VersionInfo{Version: Version}}
	case sdk.OperatorGetMaster:
		info := k.master
		answer.GetMaster = &sdk.GetMaster{MasterInfo: &info}
	case sdk.OperatorGetWeights:
		answer.GetWeights = cluster.Weights(k.registry)
	case sdk.OperatorGetBootManifest:
		answer.GetBootManifest = cluster.BootManifest(k.registry)
	case sdk.OperatorGetBoot: // no init runs here
		answer.GetBoot = &sdk.GetBoot{Idle: true}
	default:
		return k.view.Answer(call)
	}
	return answer
}

// watch streams the events of the cluster, its state first.
func (k *Kernel) watch(w http.ResponseWriter, r *http.Request, enc wire.Encoding) {
	s := newStream()
	beat := &sdk.OperatorEvent{Type: sdk.OperatorEventHeartbeat}
	s.every, s.pulse = k.heartbeat(), func() { s.push(beat) }
	k.mu.Lock()
	s.push(&sdk.OperatorEvent{Type: sdk.OperatorEventSubscribed, Subscribed: &sdk.OperatorSubscribed{
		GetState: k.view.State(), HeartbeatIntervalSeconds: k.heartbeat().Seconds(),
	}})
	s.push(beat)
	k.watchers[s] = enc == wire.Msgpack
	k.mu.Unlock()
	s.serve(w, r, enc)
	k.mu.Lock()
	delete(k.watchers, s)
	k.mu.Unlock()
}

// told takes an event of the mind to the view and to who watches. k.mu is held.
func (k *Kernel) told(e *sdk.OperatorEvent) {
	k.view.Apply(k.now(), e)
	for s, ours := range k.watchers {
		if ours || view.Public(e) {
			s.push(e)
		}
	}
}

package sdktest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

func (k *Kernel) serveScheduler(w http.ResponseWriter, r *http.Request, who caller) {
	var calls []*sdk.Call
	enc, err := body(r, func() any {
		calls = append(calls, &sdk.Call{})
		return calls[len(calls)-1]
	})
	if err != nil {
		refuse(w, r, err)
		return
	}
	id := r.Header.Get("Mesos-Stream-Id")
	if len(calls) == 1 && calls[0].Type == sdk.CallSubscribe {
		if id != "" {
			refuse(w, r, sdk.Errorf(sdk.CodeInvalid, "Mesos-Stream-Id", "Subscribe calls should not include the 'Mesos-Stream-Id' header"))
			return
		}
		k.subscribe(w, r, who, calls[0], enc)
		return
	}
	status, refused := http.StatusAccepted, error(nil)
	for i, call := range calls {
		if call.Type == sdk.CallUpdateFramework {
			status = http.StatusOK
		}
		if err := k.schedulerCall(who, call, cluster.Session(id)); err != nil && refused == nil {
			refused = err
			if len(calls) > 1 {
				refused = at(i, err)
			}
		}
	}
	if refused != nil {
		refuse(w, r, refused)
		return
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}

func (k *Kernel) schedulerCall(who caller, call *sdk.Call, session cluster.Session) error {
	if call.Type == sdk.CallSubscribe {
		return sdk.Errorf(sdk.CodeInvalid, "type", "SUBSCRIBE must be alone in its request")
	}
	if err := k.request(func(request uint64) cluster.Input {
		return cluster.SchedulerCall{Request: request, Session: session, Caller: who.mind(), Call: call}
	}); err != nil {
		return err
	}
	return nil
}

// subscribe opens a scheduler's stream.
func (k *Kernel) subscribe(w http.ResponseWriter, r *http.Request, who caller, call *sdk.Call, enc wire.Encoding) {
	s := newStream()
	k.mu.Lock()
	session := k.newSession()
	k.streams[session] = s
	k.mu.Unlock()
	err := k.request(func(request uint64) cluster.Input {
		return cluster.Subscribe{Request: request, Session: session, Caller: who.mind(), Call: call}
	})
	if err == nil {
		w.Header().Set("Mesos-Stream-Id", string(session))
		s.serve(w, r, enc)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.streams[session] == s {
		delete(k.streams, session)
		if err == nil && !k.closed {
			k.inputs = append(k.inputs, cluster.SchedulerClosed{Session: session})
			k.pump()
		}
	}
	if err != nil {
		refuse(w, r, err)
	}
}

// at names the place of the refused call in its body.
func at(i int, err error) error {
	var e *sdk.Error
	if !errors.As(err, &e) {
		return err
	}
	placed := *e
	placed.Field = strings.TrimSuffix(fmt.Sprintf("[%d].%s", i, e.Field), ".")
	return &placed
}

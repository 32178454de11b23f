package sdktest

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/credential"
	kernelstore "github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// caller is who a request comes from: an operator, who shows the kernel's one
// token, or a framework in a task, with a token of its own.
type caller struct{ credential.Claims }

func (c caller) operator() bool { return c.Kind == credential.KindOperator }

func (c caller) mind() cluster.Caller {
	return cluster.Caller{Principal: c.Principal, Operator: c.operator()}
}

func (c caller) store() kernelstore.Caller {
	return kernelstore.Caller{Principal: c.Principal, Operator: c.operator(), FrameworkID: c.FrameworkID, TaskID: c.TaskID, AgentID: c.AgentID}
}

// TaskToken is a token as the agent gives one to a task that is a framework: it
// is taken while the task lives, as that principal. Such a task needs no label
// here; any task of the kernel will do.
func (k *Kernel) TaskToken(principal string, framework sdk.FrameworkID, task sdk.TaskID) string {
	return k.key.Sign(credential.Claims{Kind: credential.KindFramework, Principal: principal, FrameworkID: framework, TaskID: task})
}

// callerOf tells who shows a token, as Bearer or as the password of Basic.
func (k *Kernel) callerOf(r *http.Request) (caller, error) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if _, password, ok := r.BasicAuth(); ok {
		token = password
	}
	operator := caller{credential.Claims{Kind: credential.KindOperator}}
	if subtle.ConstantTimeCompare([]byte(token), []byte(k.token)) == 1 {
		return operator, nil
	}
	claims, err := k.key.Verify(token)
	switch {
	case err == nil && claims.Kind == credential.KindFramework:
		k.mu.Lock()
		life := k.mind.LifeOf(claims.FrameworkID, claims.TaskID, claims.AgentID)
		k.mu.Unlock()
		if life == cluster.Ended {
			return caller{}, sdk.Errorf(sdk.CodeUnauthenticated, "", "the token was for the task %s, which has ended", claims.TaskID)
		}
		return caller{claims}, nil
	case k.token == insecure:
		return operator, nil
	}
	return caller{}, sdk.Errorf(sdk.CodeUnauthenticated, "", "no token, or a wrong one: send Authorization: Bearer")
}

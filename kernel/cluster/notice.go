package cluster

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// A notice is what people should know while it lasts; kernel/view keeps the last of
// each key.

// notice is one to be published.
type notice struct{ sdk.Notice }

func noticeOf(key string, until time.Time, format string, args ...any) notice {
	return notice{sdk.Notice{Key: key, Message: fmt.Sprintf(format, args...), Until: timeInfo(until)}}
}

func (n notice) about(a *agent) notice {
	n.AgentID = a.id
	return n
}

func (n notice) of(f *framework) notice {
	n.FrameworkID = f.id()
	return n
}

func (c *Cluster) notice(n notice) {
	c.noticed[n.Key] = true
	c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventNotice, Notice: &n.Notice})
}

// clearNotice ends a notice, if there is one.
func (c *Cluster) clearNotice(key string) {
	if c.noticed[key] {
		delete(c.noticed, key)
		c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventNotice, Notice: &sdk.Notice{Key: key}})
	}
}

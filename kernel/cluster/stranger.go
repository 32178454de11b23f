package cluster

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// strangersKey is the notice that somebody of another cluster asks to be let in.
const strangersKey = "strangers"

// stranger is why an agent or framework of another cluster has to wait, or nil. Masters
// that have lost everything look like those of a new cluster until their snapshot is
// restored, and let in before that, an agent would be given to others, and its tasks'
// frameworks would be as good as new. Once somebody uses the cluster it is one of its own.
func (c *Cluster) stranger(kind, field, id string) *sdk.Error {
	if !c.reg.Stranger(id) || !c.reg.Unused() {
		return nil
	}
	if !c.noticed[strangersKey] {
		c.notice(noticeOf(strangersKey, time.Time{}, "This cluster is new, and who belongs to another one asks to be let in, such as the %s %s: if the masters of that one are lost, restore their snapshot (proffer cluster snapshot restore); without one, they are let in when the first framework subscribes here, such as that of proffer run", kind, id))
	}
	return sdk.Errorf(sdk.CodeUnavailable, field, "this cluster is new and does not know the %s %s of another one: a snapshot of that one is to be restored here, or this one to be used, first; try again", kind, id)
}

// noStrangers ends the notice when the cluster is used.
func (c *Cluster) noStrangers() {
	if c.noticed[strangersKey] && !c.reg.Unused() {
		c.clearNotice(strangersKey)
	}
}

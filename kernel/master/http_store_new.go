package master

import (
	"cmp"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// strange has a call wait that goes by a lease of a space that a new cluster never had: its
// holder belongs to a cluster whose snapshot is still to be restored here, and must not take
// that for the end of the lease.
func (s *storeCall) strange() *sdk.Error {
	lease := leaseOf(s.call)
	if lease == "" {
		return nil
	}
	had, fresh := false, false
	s.m.consensus.ViewStore(func(st *store.State) { had = st.Has(s.space) })
	if !had {
		s.m.consensus.View(func(r *registry.State) { fresh = r.Unused() })
	}
	if !fresh {
		return nil
	}
	return sdk.Errorf(sdk.CodeUnavailable, "lease", "this cluster is new and has nothing of the space %q, so the lease %q may be of another one, whose snapshot is to be restored here first; try again", s.space.Name, lease)
}

// leaseOf is the first lease that a call goes by; empty for none.
func leaseOf(c *sdk.StoreCall) (lease string) {
	if c.KeepAlive != nil {
		lease = c.KeepAlive.Lease
	}
	if c.Commit != nil {
		for i := range c.Commit.If {
			lease = cmp.Or(lease, c.Commit.If[i].Lease)
		}
		for i := range c.Commit.Then {
			lease = cmp.Or(lease, c.Commit.Then[i].Lease)
		}
	}
	return lease
}

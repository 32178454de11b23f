package store

import (
	"bytes"
	"strconv"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Apply decides about the command at that index of the replicated log and carries
// it out. A refusal (Result.Err) changed nothing but the index. The outcome
// depends on nothing but the commands before and this one.
func (s *State) Apply(index uint64, c Command) Result {
	s.index = index
	r := Result{Index: index}
	if c.Version > CommandVersion {
		r.Err = sdk.Errorf(sdk.CodeUnsupported, "version", "store command of version %d, this master knows up to %d: upgrade it", c.Version, CommandVersion)
		return r
	}
	err := c.validate()
	if err == nil {
		err = s.apply(&c, &r)
	}
	if err != nil {
		return Result{Index: index, Err: err}
	}
	return r
}

func (s *State) apply(c *Command, r *Result) *sdk.Error {
	sp := s.spaces[c.Space]
	fresh := sp == nil
	if fresh {
		sp = newSpace(c.Space)
	}
	var err *sdk.Error
	switch c.Type {
	case CommandCommit:
		err = sp.commit(c, r)
	case CommandGrant:
		err = sp.grant(c.Version, c.Grant, r)
	case CommandRevoke:
		err = sp.revoke(c.Revoke.Lease, r)
	}
	if err != nil || !fresh || (sp.keys.Len() == 0 && len(sp.leases) == 0) {
		return err
	}
	if n := s.spacesOf(c.Space.Principal); n >= MaxSpaces {
		return exhausted("space", "number of spaces of "+strconv.Quote(c.Space.Principal), n+1, MaxSpaces)
	}
	s.spaces[c.Space] = sp
	return nil
}

func (s *State) spacesOf(principal string) (n uint64) {
	for id := range s.spaces {
		if id.Principal == principal {
			n++
		}
	}
	return n
}

func (sp *space) commit(c *Command, r *Result) *sdk.Error {
	r.Held = sp.holds(c.Commit.If)
	ops, name := c.Commit.Then, "commit.then"
	if !r.Held {
		ops, name = c.Commit.Else, "commit.else"
	}
	st := newStage(sp, r.Index)
	for i := range ops {
		if err := st.do(&ops[i]); err != nil {
			return at(err, name, i)
		}
	}
	limit := c.Limit
	if limit == 0 {
		limit = DefaultSpaceLimit
	}
	if st.size > limit && st.size > sp.size {
		return exhausted("commit", "bytes of the space "+strconv.Quote(sp.id.Name), st.size, limit)
	}
	r.Changes = st.finish()
	return nil
}

// holds tells whether all compares do.
func (sp *space) holds(compares []sdk.StoreCompare) bool {
	for i := range compares {
		c := &compares[i]
		kv := sp.get(c.Key)
		ok := kv != nil
		switch c.Type {
		case sdk.StoreAbsent:
			ok = kv == nil
		case sdk.StoreUnchanged:
			ok = plantIgnoreGuard || ok && kv.Modified == c.Modified
		case sdk.StoreValueIs:
			ok = ok && bytes.Equal(kv.Value, c.Value)
		case sdk.StoreHeldBy: // of a lease that ended no key is left
			ok = plantIgnoreGuard || ok && c.Lease != "" && kv.Lease == c.Lease
		}
		if !ok {
			return false
		}
	}
	return true
}

func (sp *space) grant(version uint32, g *Grant, r *Result) *sdk.Error {
	if n := uint64(len(sp.leases)); n >= MaxLeases {
		return exhausted("grant", "number of leases of the space "+strconv.Quote(sp.id.Name), n+1, MaxLeases)
	}
	l := &lease{keys: map[string]struct{}{}, Lease: Lease{ID: strconv.FormatUint(r.Index, 10), Space: sp.id, TTL: time.Duration(g.TTL),
		FrameworkID: g.FrameworkID, TaskID: g.TaskID}}
	sp.leases[l.ID] = l
	if version >= 2 {
		l.AgentID = g.AgentID
	}
	granted := l.Lease
	r.Granted = &granted
	return nil
}

func (sp *space) revoke(id string, r *Result) *sdk.Error {
	l := sp.leases[id]
	if l == nil {
		return noLease("revoke.lease", id)
	}
	st := newStage(sp, r.Index)
	for _, key := range sortedKeys(l.keys) {
		st.set(key, nil)
	}
	r.Changes = st.finish()
	delete(sp.leases, id)
	ended := l.Lease
	r.Ended = &ended
	return nil
}

func noLease(field, id string) *sdk.Error {
	return sdk.Errorf(sdk.CodeNotFound, field, "the lease %q has ended, or never was in this space", id)
}

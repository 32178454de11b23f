package store

import "github.com/profferhq/proffer/sdk"

// Reborn is a copy to be restored in a cluster whose revisions are above floor, as none
// was that anybody has seen. What has happened since this State was saved nobody knows any
// more, so whoever leads by a lease has to read anew: the leases are gone, with the keys
// that were attached to them; and no watch goes on from before.
func (s *State) Reborn(floor uint64) *State {
	c := &State{index: floor, floor: floor, spaces: map[Space]*space{}}
	for id, sp := range s.spaces {
		fresh := newSpace(id)
		sp.keys.Ascend(func(kv *sdk.StoreKV) bool {
			if kv.Lease == "" {
				fresh.keys.ReplaceOrInsert(kv)
				fresh.size += weight(kv)
			}
			return true
		})
		if fresh.keys.Len() > 0 {
			c.spaces[id] = fresh
		}
	}
	return c
}

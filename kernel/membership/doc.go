// Package membership tells who is around: masters and agents that gossip with
// each other, at which addresses. It is the only importer of memberlist.
//
// What it says is a hint, for discovery and fast suspicion. It authorises
// nothing and decides nothing: that a member is listed does not make it an agent
// or a voter. The cluster key keeps strangers out, the cluster's name (bound into
// every message) keeps two clusters apart.
//
// Members re-join their seeds for ever: memberlist by itself stays split after a
// partition that lasted longer than it remembers the dead.
//
// A Gossip may be used from any goroutine.
package membership

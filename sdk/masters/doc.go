// Package masters asks a cluster's masters over HTTP: it tries the one that
// answered last, then all others, follows the 307 by which a follower names the
// leader, carries the token, and turns every refusal into an *sdk.Error and "no
// master answers" into an *Unreachable.
//
// It is the common floor of sdk/framework and sdk/operator. It owns a pool of
// connections, the address of the leader, those of the masters that answers name, and
// who has failed, remembers nothing else, never sends a request twice that a master may have acted on (unless it is Safe), and
// never waits between tries: patience belongs to its callers. A request is not left
// with a master that is stopped or cut off: see Client.Do.
//
// A Client may be used by any number of goroutines.
package masters

// Package app is the definition of a service: what an operator wants to run, how
// often and under which rules. It owns the fields, Marathon's JSON of them in both
// directions, the defaults, every rule that a definition must keep, how a partial
// change is laid over what was there, and which apps a selector picks.
//
// Nothing that a client sends is ignored in silence: a field that Marathon knows
// and this package does not serve yet is refused by name, unless it says what is
// the case anyway; an unknown field is refused too. Only what a server writes into
// its answers and clients send back (counts, tasks, deployments) is passed over.
//
// The package decides nothing about instances and knows neither clock nor network.
// An App is never changed in place once it is shared, so it may be read by any
// number of goroutines.
package app

// Package graph is which jobs start after which. It owns the edges from parents to
// children, the rule that they never make a cycle, the rule by which a child starts
// (all its parents have succeeded since its last start), what children inherit from a
// parent that is deleted, and the two forms in which Chronos exports the graph.
//
// It is pure: it knows no run, no store and no clock. A Graph is not safe for
// concurrent use; whoever owns it may read it from several goroutines while nothing
// changes it. The functions keep nothing.
package graph

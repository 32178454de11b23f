// Package allocator decides who is offered what, and keeps the books: for each
// agent what it has in total, what stands in offers and what is used.
//
// Roles form a tree (a/b is below a). At every level of it, and between the
// frameworks of one role, whoever has the smallest dominant share of the
// cluster, divided by its weight, is served first; among equals whoever has
// waited longest since its last offer. The role `system` goes before all others and has
// head-room on every agent that nobody else is offered. Weights are in the registry;
// operators set them by UPDATE_WEIGHTS.
//
// The owner (kernel/cluster) tells it what happened: an agent came, a framework
// revived, an offer was declined. Then Allocate makes the offers that have
// become possible; it looks only at agents on which something changed and at
// frameworks that woke up. An Offering is in the books from the moment Allocate
// returns it, until the owner ends it: by Accept (used now, the rest free
// again), or by Recover (declined, timed out, rescinded). Used resources are
// freed by Release. Filters end by themselves when time is told to Allocate or
// Expire; NextExpiry says when that is worth it.
//
// It is pure: no clock, no goroutine, no I/O, and the same calls give the same
// answers in the same order. It is not safe for concurrent use: one loop owns
// it. Resources that it hands out are immutable and may be shared.
//
// It never validates what frameworks send, names no offers, times none out, and
// knows nothing of tasks: that is kernel/cluster's.
//
// Two bugs can be planted by build tags, to see that the tests find them:
// plant_count_offer_twice leaves what is offered free, plant_lose_decline_filter
// forgets every refusal.
package allocator

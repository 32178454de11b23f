// Package placement decides which launches go onto which offers: by role, by
// Marathon's constraints, by resources and by ports, spread over the agents that
// have the fewest instances of the same app. For what finds no offer it tells why,
// offer by offer, in the rows of Marathon's funnel.
//
// It is pure. Chance (which of the free ports, which agent first) comes in as a
// seed: equal calls give equal results. It keeps no state and may be used by any
// number of goroutines.
package placement

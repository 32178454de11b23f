// Package master is the shell around kernel/cluster: one process of the masters.
//
// It owns the sockets, the connection goroutines and the clock. When this master
// leads, one goroutine (leader.run) receives inputs, steps the cluster's mind and
// performs its effects; nobody else touches the mind. Requests are decoded and
// events encoded in the goroutines of their connections, never in that loop, and
// each stream's writer sends all that waits for it in one flush. A stream whose
// reader is slow is dropped rather than waited for.
//
// Beside the loop a leader runs init (kernel/boot), which is a framework like any other and
// comes in over HTTP. The gateway (http_gateway.go) passes requests on to frameworks: the
// loop notes where they are (doors), connections read that and never enter the loop, but to
// ask whether the task of a token lives. Whoever waits does so for a bounded time: for a
// leader (LeaderWait), for a leader that a request was carried to while it leads, for a
// framework's word (GatewayTimeout), for the disks of a majority (StoreTimeout; what goes
// through the mind: consensus.ProposeBound, after which the mind ends).
//
// It never decides anything about agents, frameworks, offers or tasks (cluster
// does), nor what is durable (consensus does). When the leadership is lost, or a
// proposal failed or its fate is unknown, that leader's mind and all its streams
// end; the next term begins with a new mind made from the registry.
//
// All HTTP is in files called http*.go; routes.go is the one table of routes, each
// with who may use it and what it is for. The router (echo) is only seen by
// http_router.go: handlers are net/http's.
package master

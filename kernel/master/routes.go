package master

import (
	"net/http"

	"github.com/profferhq/proffer/sdk/gateway"
)

// permission is what a route asks of its caller.
type permission string

const (
	open       permission = "open"      // no credential
	known      permission = "known"     // any credential but an executor's
	schedulers permission = "scheduler" // an operator, or a framework in a living task
	operators  permission = "operator"  // an operator, or another master
	admins     permission = "admin"     // an operator
	agents     permission = "agent"     // an agent, which holds the cluster key
)

// Route is one line of the table of routes.
type Route struct {
	Method     string     // the only one allowed, others get 405; anyMethod for all
	Path       string     // served with the prefix /master too where Twin is set
	Twin       bool       // as in Mesos: clients use either
	Below      bool       // paths below Path are this route too, as in Mesos
	Permission permission // what the caller must be
	Realm      string     // of the 401
	Leader     leaderRule // whether only the leader answers
	JSON       bool       // refusals are JSON objects, as Marathon's clients expect them
	Doc        string

	handler func(*Master, http.ResponseWriter, *http.Request, caller)
}

// leaderRule says what a master does about a request that only the leader answers.
type leaderRule string

const (
	anyMaster leaderRule = ""         // every master answers
	redirects leaderRule = "redirect" // 307 to the leader: agents and frameworks speak to it itself
	carries   leaderRule = "carry"    // the request is brought to the leader, one hop
)

// anyMethod is the Method of a route that passes every method on.
const anyMethod = "*"

// gatewayRoute is the way to frameworks, on this port and on the published ones.
func gatewayRoute() Route {
	return Route{Method: anyMethod, Path: servicePath, Below: true, Permission: schedulers, Realm: "mesos-master-gateway", JSON: true,
		Doc:     "The gateway: /service/NAME/PATH reaches PATH of the framework of that name, with the caller signed (see sdk/gateway).",
		handler: (*Master).serveService}
}

// Routes is the one table of everything that a master answers.
func Routes() []Route {
	const scheduler, write, read = "mesos-master-scheduler", "mesos-master-readwrite", "mesos-master-readonly"
	return []Route{
		{Method: http.MethodPost, Path: "/api/v1/scheduler", Twin: true, Below: true, Permission: schedulers, Realm: scheduler, Leader: redirects,
			Doc:     "Calls of frameworks, one or a sequence in a body; SUBSCRIBE is answered by the stream of events.",
			handler: (*Master).serveScheduler},
		{Method: http.MethodPost, Path: "/api/v1/store", Twin: true, Permission: schedulers, Realm: scheduler, Leader: carries,
			Doc:     "Calls about the frameworks' key-value spaces: GET, LIST, COMMIT, leases; WATCH is answered by the stream of changes.",
			handler: (*Master).serveStore},
		{Method: http.MethodPost, Path: "/api/v1/agent", Twin: true, Permission: agents, Realm: write, Leader: redirects,
			Doc:     "Calls of agents, one or a sequence in a body; REGISTER is answered by the stream of events.",
			handler: (*Master).serveAgent},
		{Method: http.MethodPost, Path: "/api/v1", Twin: true, Below: true, Permission: operators, Realm: write, Leader: carries,
			Doc:     "Calls of operators: reads, SUBSCRIBE for the stream of changes, TEARDOWN, KILL_TASK, UPDATE_WEIGHTS, SET_BOOT_MANIFEST, those about agents: DRAIN_AGENT, DEACTIVATE_AGENT, REACTIVATE_AGENT, MARK_AGENT_GONE, and those about masters: ADD_MASTER, REMOVE_MASTER, TRANSFER_LEADERSHIP.",
			handler: (*Master).serveOperator},
		{Method: http.MethodGet, Path: "/api/v1/masters", Permission: operators, Realm: read,
			Doc:     "The masters of the cluster as this one knows them, each asked how far it is. Needs no leader.",
			handler: (*Master).serveMasters},
		{Method: http.MethodGet, Path: snapshotPath, Permission: admins, Realm: read, Leader: carries,
			Doc:     "All that is replicated, as a file to restore from.",
			handler: (*Master).serveSave},
		{Method: http.MethodPut, Path: snapshotPath + "/restore", Permission: admins, Realm: write, Leader: carries,
			Doc:     "Puts a saved cluster in the place of this one; ?force=true also where this one has agents or frameworks.",
			handler: (*Master).serveRestore},
		{Method: http.MethodGet, Path: "/api/v1/logs", Twin: true, Permission: schedulers, Realm: read, Leader: carries,
			Doc:     "A piece of a task's output, at most 1 MiB, fetched from its agent: ?framework_id=&agent_id=&task_id=&stream=stdout&offset= (negative: from the end). A framework reads that of its own tasks.",
			handler: (*Master).serveLogs},
		gatewayRoute(),
		{Method: http.MethodGet, Path: gateway.Path, Permission: schedulers, Realm: read, Leader: carries,
			Doc:     "The key with which the gateway signs callers for the framework of the principal ?audience= (its own, for a framework's token).",
			handler: (*Master).serveGatewayKey},
		{Method: http.MethodGet, Path: "/health", Twin: true, Permission: open,
			Doc:     "200 while this master serves, whether it leads or not.",
			handler: (*Master).serveHealth},
		{Method: http.MethodGet, Path: "/redirect", Twin: true, Permission: known, Realm: read,
			Doc:     "307 to the leading master.",
			handler: (*Master).serveRedirect},
		{Method: http.MethodGet, Path: "/version", Permission: known, Realm: read,
			Doc:     "The version of this master, and the one of Mesos whose API it speaks.",
			handler: (*Master).serveVersion},
		{Method: http.MethodGet, Path: "/metrics", Permission: operators, Realm: read,
			Doc:     "Numbers in Prometheus's format.",
			handler: (*Master).serveMetrics},
	}
}

package api

import (
	"net/http"

	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// Routes is the one table of everything that is served. In a Path {id...} stands for an
// app. All of it is for operators only.
func Routes() []rest.Route { return (&server{}).routes() }

func (s *server) routes() []rest.Route {
	const get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	return []rest.Route{
		{Method: get, Path: "/v2/apps", Doc: "All apps: ?cmd= and ?id= (parts of them), ?label= (a selector), ?embed=.", Handle: of(s.listApps)},
		{Method: post, Path: "/v2/apps", Doc: "Creates an app: ?force=.", Handle: of(s.createApp)},
		{Method: put, Path: "/v2/apps", Doc: "Changes or creates a list of apps: ?force=, ?partialUpdate= (true).", Handle: of(s.putApps)},
		{Method: patch, Path: "/v2/apps", Doc: "Changes a list of apps: ?force=.", Handle: of(s.patchApps)},
		{Method: post, Path: "/v2/apps/{id...}/restart", Doc: "Replaces all instances by new ones: ?force=.", Handle: of(s.restartApp)},
		{Method: get, Path: "/v2/apps/{id...}/versions", Doc: "The versions of an app, newest first.", Handle: of(s.listVersions)},
		{Method: get, Path: "/v2/apps/{id...}/versions/{version}", Doc: "The app as it was in a version.", Handle: of(s.showVersion)},
		{Method: get, Path: "/v2/apps/{id...}/tasks", Doc: "The tasks of an app: ?embed=; as text where that is accepted.", Handle: of(s.listAppTasks)},
		{Method: del, Path: "/v2/apps/{id...}/tasks", Doc: "Kills the tasks of an app: ?host=, ?scale=, ?wipe=, ?force=.", Handle: of(s.killAppTasks)},
		{Method: del, Path: "/v2/apps/{id...}/tasks/{task}", Doc: "Kills one task, whatever the app: ?scale=, ?wipe=, ?force=.", Handle: of(s.killTask)},
		{Method: get, Path: "/v2/apps/*", Doc: "All apps below the top group: ?embed=.", Handle: of(s.listGroup)},
		{Method: get, Path: "/v2/apps/{id...}/*", Doc: "All apps below a group: ?embed=.", Handle: of(s.listGroup)},
		{Method: get, Path: "/v2/apps/{id...}", Doc: "One app with its tasks: ?embed=.", Handle: of(s.showApp)},
		{Method: put, Path: "/v2/apps/{id...}", Doc: "Changes or creates an app, or with a version alone goes back to it: ?force=, ?partialUpdate= (true).", Handle: of(s.putApp)},
		{Method: patch, Path: "/v2/apps/{id...}", Doc: "Changes an app: ?force=.", Handle: of(s.patchApp)},
		{Method: del, Path: "/v2/apps/{id...}", Doc: "Destroys an app with its instances: ?force= (true).", Handle: of(s.deleteApp)},
		{Method: get, Path: "/v2/tasks", Doc: "All tasks: ?status=running or staging, ?embed=; as text where that is accepted.", Handle: of(s.listTasks)},
		{Method: post, Path: "/v2/tasks/delete", Doc: `Kills the tasks of {"ids":[…]}: ?scale=, ?wipe=, ?force=.`, Handle: of(s.killTasks)},
		{Method: get, Path: "/v2/deployments", Doc: "The deployments that run: ?embed=why.", Handle: of(s.listDeployments)},
		{Method: del, Path: "/v2/deployments/{deployment}", Doc: "Undoes a deployment by a new one, or drops it: ?force=.", Handle: of(s.cancelDeployment)},
		{Method: get, Path: "/v2/queue", Doc: "What waits to be launched: ?embed=lastUnusedOffers, ?embed=why.", Handle: of(s.listQueue)},
		{Method: del, Path: "/v2/queue/{id...}/delay", Doc: "Launches again without waiting for the backoff.", Handle: of(s.resetDelay)},
		{Method: get, Path: "/v2/events", Doc: "The stream of events: ?event_type= (repeated), header Last-Event-ID.", Handle: of(s.streamEvents)},
		{Method: get, Path: "/v2/eventSubscriptions", Doc: "The call-backs, of which there are none.", Always: true, Handle: of(s.listSubscriptions)},
		{Method: get, Path: "/v2/info", Doc: "Who this marathonish is.", Always: true, Handle: of(s.showInfo)},
		{Method: get, Path: "/v2/leader", Doc: "Who leads.", Always: true, Handle: of(s.showLeader)},
		{Method: get, Path: "/v2/plugins", Doc: "The plugins, of which there are none.", Always: true, Handle: of(s.listPlugins)},
		{Method: get, Path: "/ping", Doc: "pong.", Always: true, Handle: of(s.ping)},
	}
}

// notServed are the parts of Marathon's API that are not served yet, with the sentence
// that says so.
func notServed() []struct{ path, sentence string } {
	return []struct{ path, sentence string }{
		{"/v2/groups", "Groups are not served yet. Apps may have paths as ids; use /v2/apps."},
		{"/v2/pods", "Pods are not served yet. Use /v2/apps."},
		{"/v2/eventSubscriptions", "Call-backs are not served. Follow /v2/events instead."},
		{"/v2/leader", "A leader cannot be made to abdicate by a call yet. Another one takes over when it ends."},
	}
}

package api

import "net/http"

// Route is one line of the table of routes. In Path {id} stands for one or more parts,
// {task}, {version} and {deployment} for one; slashes may be doubled or trail. All of
// them are for operators only.
type Route struct {
	Method string
	Path   string
	Doc    string

	always bool // answered by who does not lead, too
	handle func(*server, *call) (answer, error)
}

// Routes is the one table of everything that is served. The first line that fits
// a path decides.
func Routes() []Route {
	const get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	return []Route{
		{Method: get, Path: "/v2/apps", Doc: "All apps: ?cmd= and ?id= (parts of them), ?label= (a selector), ?embed=.", handle: (*server).listApps},
		{Method: post, Path: "/v2/apps", Doc: "Creates an app: ?force=.", handle: (*server).createApp},
		{Method: put, Path: "/v2/apps", Doc: "Changes or creates a list of apps: ?force=, ?partialUpdate= (true).", handle: (*server).putApps},
		{Method: patch, Path: "/v2/apps", Doc: "Changes a list of apps: ?force=.", handle: (*server).patchApps},
		{Method: post, Path: "/v2/apps/{id}/restart", Doc: "Replaces all instances by new ones: ?force=.", handle: (*server).restartApp},
		{Method: get, Path: "/v2/apps/{id}/versions", Doc: "The versions of an app, newest first.", handle: (*server).listVersions},
		{Method: get, Path: "/v2/apps/{id}/versions/{version}", Doc: "The app as it was in a version.", handle: (*server).showVersion},
		{Method: get, Path: "/v2/apps/{id}/tasks", Doc: "The tasks of an app: ?embed=; as text where that is accepted.", handle: (*server).listAppTasks},
		{Method: del, Path: "/v2/apps/{id}/tasks", Doc: "Kills the tasks of an app: ?host=, ?scale=, ?wipe=, ?force=.", handle: (*server).killAppTasks},
		{Method: del, Path: "/v2/apps/{id}/tasks/{task}", Doc: "Kills one task, whatever the app: ?scale=, ?wipe=, ?force=.", handle: (*server).killTask},
		{Method: get, Path: "/v2/apps/*", Doc: "All apps below the top group: ?embed=.", handle: (*server).listGroup},
		{Method: get, Path: "/v2/apps/{id}/*", Doc: "All apps below a group: ?embed=.", handle: (*server).listGroup},
		{Method: get, Path: "/v2/apps/{id}", Doc: "One app with its tasks: ?embed=.", handle: (*server).showApp},
		{Method: put, Path: "/v2/apps/{id}", Doc: "Changes or creates an app, or with a version alone goes back to it: ?force=, ?partialUpdate= (true).", handle: (*server).putApp},
		{Method: patch, Path: "/v2/apps/{id}", Doc: "Changes an app: ?force=.", handle: (*server).patchApp},
		{Method: del, Path: "/v2/apps/{id}", Doc: "Destroys an app with its instances: ?force= (true).", handle: (*server).deleteApp},
		{Method: get, Path: "/v2/tasks", Doc: "All tasks: ?status=running or staging, ?embed=; as text where that is accepted.", handle: (*server).listTasks},
		{Method: post, Path: "/v2/tasks/delete", Doc: `Kills the tasks of {"ids":[…]}: ?scale=, ?wipe=, ?force=.`, handle: (*server).killTasks},
		{Method: get, Path: "/v2/deployments", Doc: "The deployments that run: ?embed=why.", handle: (*server).listDeployments},
		{Method: del, Path: "/v2/deployments/{deployment}", Doc: "Undoes a deployment by a new one, or drops it: ?force=.", handle: (*server).cancelDeployment},
		{Method: get, Path: "/v2/queue", Doc: "What waits to be launched: ?embed=lastUnusedOffers, ?embed=why.", handle: (*server).listQueue},
		{Method: del, Path: "/v2/queue/{id}/delay", Doc: "Launches again without waiting for the backoff.", handle: (*server).resetDelay},
		{Method: get, Path: "/v2/events", Doc: "The stream of events: ?event_type= (repeated), header Last-Event-ID.", handle: (*server).streamEvents},
		{Method: get, Path: "/v2/eventSubscriptions", Doc: "The call-backs, of which there are none.", always: true, handle: (*server).listSubscriptions},
		{Method: get, Path: "/v2/info", Doc: "Who this marathonish is.", always: true, handle: (*server).showInfo},
		{Method: get, Path: "/v2/leader", Doc: "Who leads.", always: true, handle: (*server).showLeader},
		{Method: get, Path: "/v2/plugins", Doc: "The plugins, of which there are none.", always: true, handle: (*server).listPlugins},
		{Method: get, Path: "/ping", Doc: "pong.", always: true, handle: (*server).ping},
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

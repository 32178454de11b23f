package fleet

import (
	"encoding/json"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/health"
	"github.com/profferhq/proffer/marathonish/plan"
	"github.com/profferhq/proffer/sdk"
)

// The keys of the store. App ids begin with a slash and have no "@".
const (
	keyApps        = "apps"
	keyVersions    = "versions"
	keyFailures    = "failures"
	keyDeployments = "deployments/"
	keyRuns        = "runs/"
	keyBoot        = "boot"
)

// Prefixes are the beginnings of all keys that Load wants to see.
func Prefixes() []string {
	return []string{keyApps + "/", keyVersions + "/", keyFailures + "/", keyDeployments, keyRuns, keyBoot}
}

func appKey(id app.ID) string                    { return keyApps + string(id) }
func failureKey(id app.ID) string                { return keyFailures + string(id) }
func versionsKey(id app.ID) string               { return keyVersions + string(id) + "@" }
func versionKey(id app.ID, v app.Version) string { return versionsKey(id) + string(v) }
func runKey(id sdk.TaskID) string                { return keyRuns + string(id) }
func deploymentKey(id string) string             { return keyDeployments + id }
func put(key string, v any) sdk.StoreOp {
	return sdk.StoreOp{Type: sdk.StorePut, Key: key, Value: encode(v)}
}
func remove(key string) sdk.StoreOp { return sdk.StoreOp{Type: sdk.StoreDelete, Key: key} }
func removeAll(prefix string) sdk.StoreOp {
	return sdk.StoreOp{Type: sdk.StoreDeletePrefix, Key: prefix}
}
func encode(v any) []byte { data, _ := json.Marshal(v); return data } // plain data always can
func putApp(a *app.App) []sdk.StoreOp {
	w := put(appKey(a.ID), a)
	return []sdk.StoreOp{w, {Type: w.Type, Key: versionKey(a.ID, a.Version), Value: w.Value}}
}
func removeApp(id app.ID) []sdk.StoreOp {
	return []sdk.StoreOp{remove(appKey(id)), removeAll(versionsKey(id)), remove(failureKey(id))}
}

// runRecord is what the store keeps of one instance, from before its launch until it
// has ended.
type runRecord struct {
	App     app.ID            `json:"app"`
	Version app.Version       `json:"version"`
	Config  app.Version       `json:"config"` // LastConfigChangeAt of the version
	Index   int               `json:"index"`
	Task    sdk.TaskID        `json:"task"`
	Agent   sdk.AgentID       `json:"agent"`
	Host    string            `json:"host"`
	IPs     []string          `json:"ips,omitempty"`
	Ports   []int             `json:"ports,omitempty"`
	Role    string            `json:"role"`
	Values  map[string]string `json:"values,omitempty"` // of the agent's attributes that constraints name
	Staged  time.Time         `json:"staged"`
	Started time.Time         `json:"started,omitzero"`
	Lost    time.Time         `json:"lost,omitzero"`    // its agent is unreachable: see mind.Absent
	Absence int64             `json:"absence,omitzero"` // which absence of it
	Doom    *doom             `json:"doom,omitempty"`
	Checks  []health.Result   `json:"checks,omitempty"`
	Healthy *bool             `json:"healthy,omitempty"`
}

// doom is the decision that an instance ends.
type doom struct {
	Why string    `json:"why"`
	At  time.Time `json:"at"` // when it gets SIGTERM: it drains until then
}

// deploymentRecord is what the store keeps of a deployment: what is needed to go on
// with it, and to undo it.
type deploymentRecord struct {
	ID      string      `json:"id"`
	Version app.Version `json:"version"`
	Since   time.Time   `json:"since"`
	Steps   [][]Action  `json:"steps"`
	Edits   []edit      `json:"edits"`
}

// edit is what a deployment changes about one app.
type edit struct {
	App    app.ID          `json:"app"`
	Before json.RawMessage `json:"before,omitempty"` // absent: there was none
}

// failureRecord is what the store keeps of an app's failures.
type failureRecord struct {
	Last    *Failure     `json:"last,omitempty"`
	Backoff plan.Backoff `json:"backoff,omitzero"`
}

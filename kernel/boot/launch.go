package boot

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// AppsFile is the file in the sandbox that holds the manifest's apps, a JSON array.
const AppsFile = "boot-apps.json"

// frameworkLabel asks the agent for the credentials of the principal that is its value.
const frameworkLabel = "PROFFER_FRAMEWORK"

// Offers places what waits, and gives the rest back.
func (p *Plan) Offers(now time.Time, offers []sdk.Offer) []Effect {
	left := make([]sdk.Resources, len(offers))
	tasks := make([][]sdk.TaskInfo, len(offers))
	for i := range offers {
		left[i] = sdk.Resources(offers[i].Resources).WithoutAllocation()
	}
	for _, s := range p.due(now) {
		w := p.wanted[s]
		i := p.choose(s, w, offers, left)
		if i < 0 {
			continue
		}
		left[i] = left[i].Subtract(w.Needs())
		r := p.attempt(now, s, w, &offers[i])
		tasks[i] = append(tasks[i], p.task(w, r, &offers[i]))
		p.emit(Store{r.Record})
	}
	for i := range offers {
		if len(tasks[i]) == 0 {
			p.emit(Decline{offers[i], refusal})
			continue
		}
		p.emit(Launch{offers[i], tasks[i]})
	}
	return p.settle(now)
}

// choose is the offer for a slot: one of its role that holds it, on the agent with the
// fewest siblings; -1 when there is none.
func (p *Plan) choose(s Slot, w *wish, offers []sdk.Offer, left []sdk.Resources) int {
	best, fewest := -1, 0
	for i := range offers {
		if a := offers[i].AllocationInfo; a != nil && a.Role != w.Role || !left[i].Contains(w.Needs()) {
			continue
		}
		siblings := 0
		for other, r := range p.runs {
			if other.Name == s.Name && !r.Over && r.AgentID == offers[i].AgentID {
				siblings++
			}
		}
		if best < 0 || siblings < fewest {
			best, fewest = i, siblings
		}
	}
	return best
}

// attempt begins the next attempt of a slot.
func (p *Plan) attempt(now time.Time, s Slot, w *wish, o *sdk.Offer) *run {
	r := &run{Record: Record{Version: recordVersion, Name: s.Name, Index: s.Index, Attempt: 1}, asked: now}
	if last := p.runs[s]; last != nil {
		r.Attempt, r.Failures = last.Attempt+1, last.Failures
	}
	r.TaskID = sdk.TaskID(fmt.Sprintf("%s.%d.%d", s.Name, s.Index, r.Attempt))
	r.AgentID, r.Hostname, r.OfferID = o.AgentID, o.Hostname, o.ID
	r.Digest, r.Launched = w.digest, now.UnixNano()
	p.runs[s] = r
	return r
}

// task is what an agent is told to run.
func (p *Plan) task(w *wish, r *run, o *sdk.Offer) sdk.TaskInfo {
	shell := true
	t := sdk.TaskInfo{
		Name: w.Name, TaskID: r.TaskID, AgentID: o.AgentID, Resources: w.Needs(),
		Command: &sdk.CommandInfo{Shell: &shell, Value: w.Command, User: w.User,
			Environment: &sdk.Environment{Variables: []sdk.Variable{
				{Name: "HOST", Value: hostOf(o)},
				{Name: "PROFFER_INSTANCE", Value: fmt.Sprint(r.Index)},
			}}},
		Labels: &sdk.Labels{Labels: []sdk.Label{{Key: frameworkLabel, Value: w.Principal}}},
	}
	if w.MemLimit > 0 {
		t.Limits = map[string]sdk.Scalar{"mem": {Value: w.MemLimit}}
	}
	if p.apps != "" {
		plain := false
		t.Command.URIs = []sdk.URI{{Value: p.apps, OutputFile: AppsFile, Extract: &plain}}
	}
	return t
}

// hostOf is the address of the offer's agent, on which a task of it can listen.
func hostOf(o *sdk.Offer) string {
	if o.URL != nil && o.URL.Address.IP != "" {
		return o.URL.Address.IP
	}
	return o.Hostname
}

// appsFile is the apps as a data: URI, "" without apps.
func appsFile(m *sdk.BootManifest) string {
	if len(m.Apps) == 0 {
		return ""
	}
	return "data:application/json;base64," + base64.StdEncoding.EncodeToString([]byte("["+strings.Join(m.Apps, ",\n")+"]"))
}

// digestOf tells two descriptions of an instance apart. How many there are is no part of
// one instance.
func digestOf(f *sdk.BootFramework, apps string) string {
	one := *f
	one.Instances = 0
	data, err := json.Marshal(struct {
		Framework sdk.BootFramework
		Apps      string
	}{one, apps})
	if err != nil {
		panic("boot: a framework's description is plain values and always encodes: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// Roles are those that init subscribes with for a manifest, sorted.
func Roles(m *sdk.BootManifest) []string {
	roles := []string{"system"}
	for i := range m.Frameworks {
		roles = append(roles, m.Frameworks[i].Role)
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

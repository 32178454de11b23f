package master

import (
	"slices"
	"strings"
	"sync"

	"github.com/profferhq/proffer/sdk"
)

// door is where a framework serves what the gateway brings.
type door struct {
	id        sdk.FrameworkID
	principal string
	webui     string // as the framework said at SUBSCRIBE
	here      bool   // it is subscribed now
}

// doors are the frameworks that this leader knows, by name. The loop writes, the
// connections of the gateway read.
type doors struct {
	mu     sync.RWMutex
	byName map[string][]door // in order of their ids
	names  map[sdk.FrameworkID]string
}

func newDoors() *doors {
	return &doors{byName: map[string][]door{}, names: map[sdk.FrameworkID]string{}}
}

// apply follows what is published about frameworks.
func (d *doors) apply(e *sdk.OperatorEvent) {
	switch {
	case e.FrameworkAdded != nil:
		d.set(&e.FrameworkAdded.Framework)
	case e.FrameworkUpdated != nil:
		d.set(&e.FrameworkUpdated.Framework)
	case e.FrameworkRemoved != nil:
		d.mu.Lock()
		defer d.mu.Unlock()
		d.drop(e.FrameworkRemoved.FrameworkInfo.ID)
	}
}

func (d *doors) set(f *sdk.FrameworkState) {
	i := &f.FrameworkInfo
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(i.ID)
	d.names[i.ID] = i.Name
	all := append(d.byName[i.Name], door{id: i.ID, principal: i.Principal, webui: i.WebUIURL, here: f.Active})
	slices.SortFunc(all, func(a, b door) int { return strings.Compare(string(a.id), string(b.id)) })
	d.byName[i.Name] = all
}

func (d *doors) drop(id sdk.FrameworkID) {
	name, known := d.names[id]
	if !known {
		return
	}
	delete(d.names, id)
	left := slices.DeleteFunc(slices.Clone(d.byName[name]), func(x door) bool { return x.id == id })
	if d.byName[name] = left; len(left) == 0 {
		delete(d.byName, name)
	}
}

// find is the framework of that name that is subscribed now, or why there is none.
func (d *doors) find(name string) (door, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	all := d.byName[name]
	if len(all) == 0 {
		return door{}, sdk.Errorf(sdk.CodeNotFound, "", "no framework is called %q here", cut(name))
	}
	var open []door
	for _, x := range all {
		if x.here {
			open = append(open, x)
		}
	}
	switch {
	case len(open) == 0:
		return door{}, sdk.Errorf(sdk.CodeUnavailable, "", "the framework %q is not subscribed now; it is expected back", name)
	case len(open) > 1:
		return door{}, sdk.Errorf(sdk.CodeConflict, "", "%d frameworks called %q are subscribed (%s and %s); the gateway serves a name that only one has", len(open), name, open[0].id, open[1].id)
	case open[0].webui == "":
		return door{}, sdk.Errorf(sdk.CodeUnavailable, "", "the framework %q tells no address of its own (FrameworkInfo.webui_url), so it can not be reached through the gateway", name)
	}
	return open[0], nil
}

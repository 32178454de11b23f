package app

// Parse reads the definition of a new app, as POST /v2/apps and the boot manifest
// give it: what is not given has its default. The app has no version, and service
// ports that are to be assigned are 0. The error is a *Refusal.
func Parse(body []byte) (*App, error) {
	f := &faults{}
	v, bad := parse(body, f)
	if bad != nil {
		return nil, bad
	}
	a := fresh(v, "")
	if r := f.refusal(); r != nil {
		return nil, r
	}
	return a, nil
}

// Mode is what happens to the fields that a change does not give.
type Mode int

// The modes.
const (
	Whole   Mode = iota // they fall to their defaults; an absent app is made
	Partial             // they stay as they are; an absent app is made
	Patch               // they stay as they are; an absent app is refused with 404
)

// Updated is what a change makes of one app: the definition, or the version that the
// app shall go back to.
type Updated struct {
	ID       ID
	App      *App    // nil with RollBack
	RollBack Version // "" with App
}

// Update lays a change over an app, as PUT and PATCH of /v2/apps/{id} give it; old is
// nil where there is none. The result has no version. The error is a *Refusal.
func Update(id ID, old *App, body []byte, mode Mode) (Updated, error) {
	f := &faults{}
	v, bad := parse(body, f)
	if bad != nil {
		return Updated{}, bad
	}
	return update(v, id, func(ID) *App { return old }, mode)
}

// UpdateAll lays a list of changes over apps, as PUT and PATCH of /v2/apps give it.
// old tells what an app is now, nil where there is none. The error is a *Refusal.
func UpdateAll(old func(ID) *App, body []byte, mode Mode) ([]Updated, error) {
	f := &faults{}
	v, bad := parse(body, f)
	if bad != nil {
		return nil, bad
	}
	var out []Updated
	seen := map[ID]bool{}
	for _, e := range v.list() {
		u, err := update(e, "", old, mode)
		if err != nil {
			if r, ok := err.(*Refusal); ok && r.Status != statusInvalid {
				return nil, err
			}
			continue // told in f, with those of the others
		}
		if seen[u.ID] {
			f.broken(e.path+"/id", "%s is there twice", u.ID)
		}
		seen[u.ID] = true
		out = append(out, u)
	}
	if r := f.refusal(); r != nil {
		return nil, r
	}
	return out, nil
}

// update lays one object over what was there. id is that of the URL, "" for none.
func update(v value, id ID, old func(ID) *App, mode Mode) (Updated, error) {
	if id == "" {
		id = idIn(v)
	}
	was := old(id)
	if was == nil && mode == Patch && id.problem() == "" {
		return Updated{}, Missing(id)
	}
	var d *draft
	if was == nil || mode == Whole {
		d = &draft{app: defaults(), f: v.f, given: map[string]bool{}}
	} else {
		d = &draft{app: was.Clone(), f: v.f, given: map[string]bool{}}
	}
	d.app.ID = id
	d.read(v)
	if d.app.ID != id {
		v.f.broken(v.path+"/id", "is %s, and the address says %s", shorten(string(d.app.ID)), id)
	}
	if d.given["version"] {
		return d.rollBack(v, id, was != nil)
	}
	d.finish(v)
	if r := v.f.refusal(); r != nil {
		return Updated{}, r
	}
	return Updated{ID: id, App: d.app}, nil
}

// rollBack accepts a version that stands alone, but for the id.
func (d *draft) rollBack(v value, id ID, exists bool) (Updated, error) {
	version, ok := ParseVersion(d.version)
	if !ok {
		v.f.broken(v.path+"/version", "is no time as in 2021-07-27T10:00:00.123Z: %q", shorten(d.version))
	}
	for key := range d.given {
		if key != "id" && key != "version" {
			v.f.broken(v.path+"/version", "goes back to a version when it stands alone; it cannot be given beside other fields")
			break
		}
	}
	if wrong := id.problem(); wrong != "" {
		v.f.broken(v.path+"/id", "%s: %q", wrong, shorten(string(id)))
	}
	if r := v.f.refusal(); r != nil {
		return Updated{}, r
	}
	if !exists {
		return Updated{}, Missing(id)
	}
	return Updated{ID: id, RollBack: version}, nil
}

// fresh reads a definition over the defaults.
func fresh(v value, id ID) *App {
	d := &draft{app: defaults(), f: v.f, given: map[string]bool{}}
	d.app.ID = id
	d.read(v)
	d.finish(v)
	return d.app
}

// finish forgets what only the server says, and checks the whole. A body whose types
// are wrong is not checked: half of it has not been read.
func (d *draft) finish(v value) {
	a := d.app
	a.Version, a.LastScalingAt, a.LastConfigChangeAt = "", "", ""
	if len(v.f.types) > 0 {
		return
	}
	if a.ID == "" {
		v.f.broken(v.path+"/id", "must be given")
		a.ID = "/a" // so that nothing else is said about it
	}
	var own faults
	a.check(&own)
	for _, r := range own.rules {
		for _, text := range r.Errors {
			v.f.broken(v.path+trimRoot(r.Path), "%s", text)
		}
	}
}

func trimRoot(path string) string {
	if path == "/" {
		return ""
	}
	return path
}

// idIn is the id that an object gives itself, "" for none.
func idIn(v value) ID {
	m, _ := v.v.(map[string]any)
	if s, ok := m["id"].(string); ok {
		return Resolve(s)
	}
	return ""
}

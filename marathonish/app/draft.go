package app

import (
	"path"
	"slices"
	"strings"
)

// draft is a definition while a body is laid over what was there, or over the
// defaults.
type draft struct {
	app   *App
	f     *faults
	given map[string]bool // the served and deprecated fields of the body, without null and without what is only output

	ports, definitions []PortDefinition // of `ports` and of `portDefinitions`
	uris, fetch        []Fetch          // of `uris` and of `fetch`
	version            string
}

// defaults is a definition in which nothing is given.
func defaults() *App {
	return &App{
		Instances: 1, CPUs: 1, Mem: 128, BackoffSeconds: 1, BackoffFactor: 1.15, MaxLaunchDelaySeconds: 300, Role: RoleDefault,
		UpgradeStrategy: UpgradeStrategy{1, 1}, UnreachableStrategy: &UnreachableStrategy{}, KillSelection: YoungestFirst,
		PortDefinitions: []PortDefinition{{Protocol: "tcp", Name: "default"}},
	}
}

// read lays the fields of an object over the definition.
func (d *draft) read(v value) {
	readers := map[string]func(value){}
	for key, read := range d.served() {
		readers[key] = func(v value) {
			d.given[key] = true
			read(v)
		}
	}
	for key, neutral := range unserved() {
		readers[key] = func(v value) {
			if !neutral(v.v) {
				notServed(v)
			}
		}
	}
	for _, key := range outputOnly() {
		readers[key] = func(value) {}
	}
	v.fields("an app", readers)
	d.settle()
}

// notServed refuses by name what Marathon would take.
func notServed(v value) { v.f.broken(v.path, "is not served yet; leave it out") }

// served are the fields that count, each with its reader. A field that is given
// replaces the whole of what was there.
func (d *draft) served() map[string]func(value) {
	a := d.app
	return map[string]func(value){
		"id":   func(v value) { a.ID = Resolve(v.text()) },
		"cmd":  func(v value) { s := v.text(); a.Cmd = &s },
		"args": func(v value) { a.Args = v.texts() },

		"instances":                  whole(&a.Instances),
		"cpus":                       number(&a.CPUs),
		"mem":                        number(&a.Mem),
		"disk":                       number(&a.Disk),
		"user":                       text(&a.User),
		"env":                        func(v value) { a.Env = readEnv(v) },
		"labels":                     func(v value) { a.Labels = v.textMap() },
		"role":                       func(v value) { a.Role = enum(v, RoleDefault, RoleSystem) },
		"constraints":                func(v value) { a.Constraints = readConstraints(v) },
		"resourceLimits":             func(v value) { a.ResourceLimits = readLimits(v) },
		"backoffSeconds":             whole(&a.BackoffSeconds),
		"backoffFactor":              number(&a.BackoffFactor),
		"maxLaunchDelaySeconds":      whole(&a.MaxLaunchDelaySeconds),
		"requirePorts":               truth(&a.RequirePorts),
		"killSelection":              func(v value) { a.KillSelection = enum(v, YoungestFirst, OldestFirst) },
		"upgradeStrategy":            func(v value) { a.UpgradeStrategy = readUpgrade(v) },
		"unreachableStrategy":        func(v value) { a.UnreachableStrategy = readUnreachable(v) },
		"healthChecks":               func(v value) { a.HealthChecks = readHealthChecks(v) },
		"fetch":                      func(v value) { d.fetch = readFetch(v) },
		"uris":                       func(v value) { d.uris = readURIs(v) },
		"portDefinitions":            func(v value) { d.definitions = readPortDefinitions(v) },
		"ports":                      func(v value) { d.ports = readPorts(v) },
		"version":                    text(&d.version),
		"acceptedResourceRoles":      func(v value) { a.AcceptedResourceRoles = d.readAccepted(v) },
		"taskKillGracePeriodSeconds": wholePointer(&a.TaskKillGracePeriod),
	}
}

// settle decides between the two spellings of one thing, where both are given.
func (d *draft) settle() {
	a := d.app
	a.Args = noneIfEmpty(a.Args)
	// A program in one form takes the place of what was there in the other.
	switch {
	case d.given["cmd"] && !d.given["args"]:
		a.Args = nil
	case d.given["args"] && !d.given["cmd"] && a.Args != nil:
		a.Cmd = nil
	}
	if len(d.ports) > 0 && len(d.definitions) > 0 {
		d.f.broken("/ports", "cannot be given beside portDefinitions")
	}
	switch { // an empty list beside one that is not is no contradiction: clients write all they have
	case len(d.definitions) > 0 || d.given["portDefinitions"] && len(d.ports) == 0:
		a.PortDefinitions = noneIfEmpty(d.definitions)
	case d.given["ports"]:
		a.PortDefinitions = noneIfEmpty(d.ports)
	}
	if len(d.uris) > 0 && len(d.fetch) > 0 {
		d.f.broken("/uris", "cannot be given beside fetch")
	}
	switch {
	case len(d.fetch) > 0 || d.given["fetch"] && len(d.uris) == 0:
		a.Fetch = noneIfEmpty(d.fetch)
	case d.given["uris"]:
		a.Fetch = noneIfEmpty(d.uris)
	}
	if a.SingleInstance() {
		a.UpgradeStrategy = UpgradeStrategy{}
	}
}

// readEnv reads the environment; a reference to a secret is not served.
func readEnv(v value) map[string]string {
	out := map[string]string{}
	v.each(func(key string, e value) {
		if _, object := e.v.(map[string]any); object {
			notServed(e)
			return
		}
		out[key] = e.text()
	})
	if len(out) == 0 {
		return nil
	}
	return out
}

// readAccepted keeps null and the empty list apart: the latter is refused.
func (d *draft) readAccepted(v value) []string {
	roles := v.texts()
	if _, list := v.v.([]any); list && len(roles) == 0 {
		v.f.broken(v.path, "must not be empty; leave it out to accept all")
	}
	return roles
}

// readConstraints reads rows of field, operator and, where there is one, value.
func readConstraints(v value) []Constraint {
	var out []Constraint
	for _, row := range v.list() {
		cells := row.list()
		if !row.isList() {
			continue
		}
		if len(cells) < 2 || len(cells) > 3 {
			v.f.broken(row.path, "must have a field, an operator and at most one value, and has %d parts", len(cells))
			continue
		}
		c := Constraint{Field: cells[0].text(), Operator: Operator(strings.ToUpper(cells[1].text()))}
		if len(cells) == 3 && cells[2].v != nil {
			c.Value = cells[2].loose()
		}
		out = append(out, c)
	}
	return out
}

func (v value) isList() bool {
	_, ok := v.v.([]any)
	return ok
}

// loose takes a number for a text: marathon-python sends what its user gave it.
func (v value) loose() string {
	if n, ok := v.v.(interface{ String() string }); ok {
		return n.String()
	}
	return v.text()
}

func readUpgrade(v value) UpgradeStrategy {
	u := UpgradeStrategy{1, 1}
	v.fields("upgradeStrategy", map[string]func(value){
		"minimumHealthCapacity": number(&u.MinimumHealthCapacity), "maximumOverCapacity": number(&u.MaximumOverCapacity)})
	return u
}

func readUnreachable(v value) *UnreachableStrategy {
	if s, ok := v.v.(string); ok {
		if s != disabled {
			v.f.broken(v.path, "must be an object or %q, and is %q", disabled, shorten(s))
		}
		return nil
	}
	u := &UnreachableStrategy{}
	v.fields("unreachableStrategy", map[string]func(value){
		"inactiveAfterSeconds": whole(&u.InactiveAfter), "expungeAfterSeconds": whole(&u.ExpungeAfter)})
	return u
}

func readLimits(v value) ResourceLimits {
	var r ResourceLimits
	limit := func(to **Limit) func(value) {
		return func(v value) {
			l := Unlimited()
			if s, ok := v.v.(string); !ok {
				l = Limit(v.number())
			} else if s != unlimited {
				v.f.broken(v.path, "must be a number or %q, and is %q", unlimited, shorten(s))
			}
			*to = &l
		}
	}
	v.fields("resourceLimits", map[string]func(value){"cpus": limit(&r.CPUs), "mem": limit(&r.Mem)})
	return r
}

func readFetch(v value) []Fetch {
	var out []Fetch
	for _, e := range v.list() {
		f := Fetch{Extract: true}
		e.fields("fetch", map[string]func(value){
			"uri": text(&f.URI), "extract": truth(&f.Extract), "executable": truth(&f.Executable), "cache": truth(&f.Cache), "destPath": text(&f.DestPath)})
		out = append(out, f)
	}
	return out
}

// readURIs reads the deprecated form, which says by its ending whether it is an archive.
func readURIs(v value) []Fetch {
	var out []Fetch
	for _, e := range v.list() {
		uri := e.text()
		out = append(out, Fetch{URI: uri, Extract: archive(uri)})
	}
	return out
}

func archive(uri string) bool {
	name := path.Base(uri)
	return slices.ContainsFunc([]string{".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

func readPorts(v value) []PortDefinition {
	var out []PortDefinition
	for _, e := range v.list() {
		out = append(out, PortDefinition{Port: e.whole(), Protocol: "tcp"})
	}
	return out
}

func readPortDefinitions(v value) []PortDefinition {
	var out []PortDefinition
	for _, e := range v.list() {
		p := PortDefinition{Protocol: "tcp"}
		e.fields("a port definition", map[string]func(value){
			"port": whole(&p.Port), "name": text(&p.Name),
			"protocol": func(v value) { p.Protocol = protocols(v) }, "labels": func(v value) { p.Labels = v.textMap() }})
		out = append(out, p)
	}
	return out
}

// protocols are those of a port; both are written in one way only.
func protocols(v value) string {
	if p := enum(v, "tcp", "udp", "udp,tcp", "tcp,udp"); p != "tcp,udp" {
		return p
	}
	return "udp,tcp"
}

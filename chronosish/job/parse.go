package job

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/chronosish/schedule"
)

// Kind is which of the two a body shall define.
type Kind int

// The kinds: each has a route of its own.
const (
	Any       Kind = iota // by whether the body has parents
	Scheduled             // POST …/iso8601
	Dependent             // POST …/dependency
)

// The defaults of what is not given; 0 is the same for the amounts.
const (
	defaultCPUs    = 0.1
	defaultMem     = 128
	defaultDisk    = 256
	defaultRetries = 2
)

// once is the schedule of a job that has neither a schedule nor parents: run now.
const once = "R1//PT24H"

// Parse reads a definition as clients send it; what is not given has its default. now is
// its Created, cut to milliseconds, and the Version is 0. The error is a *Refusal.
func Parse(body []byte, kind Kind, now time.Time) (*Job, error) {
	f := &faults{}
	v, bad := decode(body, f)
	if bad != nil {
		return nil, bad
	}
	d := &draft{f: f, job: &Job{
		Shell: true, CPUs: defaultCPUs, Mem: defaultMem, Disk: defaultDisk, Retries: defaultRetries,
		RetryDelay: Seconds(60), LostAfter: Duration{"PT5M", 5 * time.Minute}, Created: now.UTC().Truncate(time.Millisecond),
	}}
	d.read(v)
	if len(f.sentences) == 0 { // else half of it has not been read
		d.settle(kind)
		d.job.check(f)
	}
	if r := f.refusal(); r != nil {
		return nil, r
	}
	return d.job, nil
}

// ParseSwitch reads a body that disables or enables a job, {"disabled": true}. The error is
// a *Refusal.
func ParseSwitch(body []byte) (disabled bool, err error) {
	f := &faults{}
	v, bad := decode(body, f)
	if bad != nil {
		return false, bad
	}
	given := false
	v.fields("this change, which is of disabled alone", map[string]func(value){"disabled": func(v value) { given, disabled = true, v.truth() }})
	if len(f.sentences) == 0 && !given {
		f.add("disabled", "must be given; it is all that can be changed here")
	}
	if r := f.refusal(); r != nil {
		return false, r
	}
	return disabled, nil
}

// draft is a definition while it is read.
type draft struct {
	job     *Job
	f       *faults
	parents bool // the body has the field
	uris    []string
}

func (d *draft) read(v value) {
	j := d.job
	readers := map[string]func(value){
		"name": text(&j.Name), "description": text(&j.Description), "owner": text(&j.Owner), "ownerName": text(&j.OwnerName),
		"command": text(&j.Command), "shell": truth(&j.Shell), "arguments": func(v value) { j.Arguments = noneIfEmpty(v.texts()) },
		"schedule": text(&j.Schedule), "scheduleTimeZone": text(&j.Zone),
		"parents":    func(v value) { d.parents, j.Parents = true, v.texts() },
		"retries":    whole(&j.Retries),
		"retryDelay": duration(&j.RetryDelay), "lostAfter": duration(&j.LostAfter), "retryOnLost": truth(&j.RetryOnLost),
		"epsilon": func(v value) {
			if v.v == "" {
				return
			}
			j.Epsilon = &Duration{}
			duration(j.Epsilon)(v)
		},
		"concurrent": truth(&j.Concurrent), "disabled": truth(&j.Disabled), "softError": truth(&j.SoftError), "highPriority": truth(&j.HighPriority),
		"maxCompletionTime": whole(&j.MaxCompletion), "runAsUser": text(&j.User),
		"cpus": number(&j.CPUs), "mem": number(&j.Mem), "disk": number(&j.Disk),
		"uris":                 func(v value) { d.uris = v.texts() },
		"fetch":                func(v value) { j.Fetch = readFetch(v) },
		"environmentVariables": func(v value) { j.Env = readEnv(v) },
		"constraints":          func(v value) { j.Constraints = readConstraints(v) },
	}
	for key, neutral := range unserved() {
		readers[key] = func(v value) {
			if !slices.Contains(neutral, v.v) {
				v.f.add(v.path, "is not served yet; leave it out")
			}
		}
	}
	for _, key := range outputOnly() {
		readers[key] = func(value) {}
	}
	v.fields("a job", readers)
}

// unserved are the fields that Chronos takes and that are not served yet, each with the
// values that say only what is the case anyway.
func unserved() map[string][]any {
	return map[string][]any{
		"async":                 {false},
		"container":             nil,
		"dataJob":               {false},
		"dataProcessingJobType": {false},
		"executor":              {""},
		"executorFlags":         {""},
		"taskInfoData":          {""},
	}
}

// outputOnly are what a server adds to a definition and clients send back with it.
func outputOnly() []string {
	return []string{"created", "errorCount", "errorsSinceLastSuccess", "lastError", "lastSuccess", "successCount", "version"}
}

// settle decides between the spellings of one thing, and what the body defines.
func (d *draft) settle(kind Kind) {
	j := d.job
	j.Schedule, j.Zone = strings.TrimSpace(j.Schedule), strings.TrimSpace(j.Zone)
	if j.Zone == "null" { // so written by Chronos 2.x
		j.Zone = ""
	}
	amount := func(to *float64, otherwise float64) {
		if *to == 0 {
			*to = otherwise
		}
	}
	amount(&j.CPUs, defaultCPUs)
	amount(&j.Mem, defaultMem)
	amount(&j.Disk, defaultDisk)
	d.settleFetch()
	if kind == Any && !d.parents || kind == Scheduled && len(j.Parents) == 0 {
		kind, j.Parents = Scheduled, nil
	} else if kind == Scheduled {
		d.f.add("parents", "are not for a job with a schedule; send this one to …/dependency")
		return
	}
	if kind != Scheduled {
		d.settleParents()
		return
	}
	if j.Schedule == "" {
		j.Schedule = once
	}
	if _, err := schedule.Parse(j.Schedule, j.Zone, j.Created); err != nil {
		d.f.tell(strings.TrimSuffix(err.Error(), ".") + ".")
	}
}

// settleFetch lets fetch and uris be given both where they say the same: so GET /jobs
// writes them, and clients send them back.
func (d *draft) settleFetch() {
	j := d.job
	mirrored := slices.EqualFunc(j.Fetch, d.uris, func(f Fetch, uri string) bool { return f.URI == uri })
	switch {
	case len(d.uris) > 0 && len(j.Fetch) > 0 && !mirrored:
		d.f.add("uris", "cannot be given beside fetch")
	case len(j.Fetch) == 0:
		for _, uri := range d.uris {
			j.Fetch = append(j.Fetch, Fetch{URI: uri, Extract: true})
		}
	}
	j.Fetch = noneIfEmpty(j.Fetch)
}

func (d *draft) settleParents() {
	j := d.job
	if j.Schedule != "" || j.Zone != "" {
		d.f.add("schedule", "is not for a job with parents; send this one to …/iso8601 without them")
	}
	if len(j.Parents) == 0 {
		d.f.add("parents", "must name at least one job")
		return
	}
	slices.Sort(j.Parents)
	j.Parents = slices.Compact(j.Parents)
	if slices.Contains(j.Parents, j.Name) {
		d.f.add("parents", "must not have the job itself: %s → %s", shorten(j.Name), shorten(j.Name))
	}
}

func readFetch(v value) []Fetch {
	var out []Fetch
	for _, e := range v.list() {
		f := Fetch{Extract: true}
		e.fields("fetch", map[string]func(value){
			"uri": text(&f.URI), "executable": truth(&f.Executable), "cache": truth(&f.Cache), "extract": truth(&f.Extract), "output_file": text(&f.OutputFile)})
		out = append(out, f)
	}
	return out
}

func readEnv(v value) []Variable {
	var out []Variable
	for _, e := range v.list() {
		var x Variable
		e.fields("an environment variable", map[string]func(value){"name": text(&x.Name), "value": text(&x.Value)})
		out = append(out, x)
	}
	return out
}

// readConstraints reads rows of attribute, operator and value.
func readConstraints(v value) []Constraint {
	var out []Constraint
	for _, row := range v.list() {
		if _, ok := row.v.([]any); !ok {
			row.expected("a list")
			continue
		}
		cells := row.texts()
		if len(cells) != 3 {
			v.f.add(row.path, "must have an attribute, an operator and a value, and has %d parts", len(cells))
			continue
		}
		out = append(out, Constraint{cells[0], Operator(strings.ToUpper(cells[1])), cells[2]})
	}
	return out
}

func noneIfEmpty[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return s
}

// plain is JSON in which <, > and & stay readable, on one line.
func plain(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}

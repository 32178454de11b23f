package job

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Document is a Job as JSON writes it: every field of Chronos, of both generations, in
// the types that its clients read. The history is what the server knows of its runs.
type Document struct {
	Name                   string          `json:"name"`
	Command                string          `json:"command"`
	Shell                  bool            `json:"shell"`
	Arguments              []string        `json:"arguments"`
	Schedule               *string         `json:"schedule,omitempty"`         // of a job with a schedule only
	Zone                   *string         `json:"scheduleTimeZone,omitempty"` // likewise
	Parents                []string        `json:"parents,omitempty"`
	Epsilon                string          `json:"epsilon,omitempty"`
	Async                  bool            `json:"async"`
	Retries                int             `json:"retries"`
	RetryDelay             string          `json:"retryDelay"`
	LostAfter              string          `json:"lostAfter"`
	RetryOnLost            bool            `json:"retryOnLost"`
	Concurrent             bool            `json:"concurrent"`
	Disabled               bool            `json:"disabled"`
	SoftError              bool            `json:"softError"`
	HighPriority           bool            `json:"highPriority"`
	MaxCompletion          int             `json:"maxCompletionTime"`
	Owner                  string          `json:"owner"`
	OwnerName              string          `json:"ownerName"`
	Description            string          `json:"description"`
	SuccessCount           int64           `json:"successCount"`
	ErrorCount             int64           `json:"errorCount"`
	ErrorsSinceLastSuccess int64           `json:"errorsSinceLastSuccess"`
	LastSuccess            string          `json:"lastSuccess"` // "" for never
	LastError              string          `json:"lastError"`
	CPUs                   float64         `json:"cpus"`
	Mem                    float64         `json:"mem"`
	Disk                   float64         `json:"disk"`
	Executor               string          `json:"executor"`
	ExecutorFlags          string          `json:"executorFlags"`
	TaskInfoData           string          `json:"taskInfoData"`
	User                   string          `json:"runAsUser"`
	URIs                   []string        `json:"uris"` // those of Fetch, for clients of 2.x
	Fetch                  []fetchDocument `json:"fetch"`
	Env                    []Variable      `json:"environmentVariables"`
	Constraints            [][3]string     `json:"constraints"`
	DataProcessing         bool            `json:"dataProcessingJobType"`
	Created                *time.Time      `json:"created,omitempty"` // kept, and not shown
	Version                uint64          `json:"version,omitempty"` // likewise
}

type fetchDocument struct {
	URI        string `json:"uri"`
	Executable bool   `json:"executable"`
	Cache      bool   `json:"cache"`
	Extract    bool   `json:"extract"`
	OutputFile string `json:"output_file,omitempty"`
}

// History is what a server knows of a job's runs.
type History struct {
	Successes, Errors, ErrorsSinceLastSuccess int64
	LastSuccess, LastError                    time.Time // zero for never
}

// Shown is the definition as clients see it: schedule is how its schedule is written
// now ("" for a job with parents).
func (j *Job) Shown(schedule string, h History) Document {
	d := j.document()
	d.Created, d.Version = nil, 0
	if d.Schedule != nil {
		d.Schedule = &schedule
	}
	d.SuccessCount, d.ErrorCount, d.ErrorsSinceLastSuccess = h.Successes, h.Errors, h.ErrorsSinceLastSuccess
	d.LastSuccess, d.LastError = Instant(h.LastSuccess), Instant(h.LastError)
	return d
}

// Instant writes a time as Chronos does, in UTC with milliseconds; "" for the zero time.
func Instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// document shares the Job's slices, so it is only for reading.
func (j *Job) document() Document {
	d := Document{
		Name: j.Name, Command: j.Command, Shell: j.Shell, Arguments: someIfNil(j.Arguments), Parents: j.Parents, Retries: j.Retries,
		RetryDelay: j.RetryDelay.Text, LostAfter: j.LostAfter.Text, RetryOnLost: j.RetryOnLost, Concurrent: j.Concurrent, Disabled: j.Disabled,
		SoftError: j.SoftError, HighPriority: j.HighPriority, MaxCompletion: j.MaxCompletion, Owner: j.Owner, OwnerName: j.OwnerName,
		Description: j.Description, CPUs: j.CPUs, Mem: j.Mem, Disk: j.Disk, User: j.User, Env: someIfNil(j.Env),
		URIs: []string{}, Fetch: []fetchDocument{}, Constraints: [][3]string{}, Created: &j.Created, Version: j.Version,
	}
	if !j.Dependent() {
		d.Schedule, d.Zone = &j.Schedule, &j.Zone
	}
	if j.Epsilon != nil {
		d.Epsilon = j.Epsilon.Text
	}
	for _, f := range j.Fetch {
		d.URIs = append(d.URIs, f.URI)
		d.Fetch = append(d.Fetch, fetchDocument(f))
	}
	for _, c := range j.Constraints {
		d.Constraints = append(d.Constraints, [3]string{c.Attribute, string(c.Operator), c.Value})
	}
	return d
}

func someIfNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// MarshalJSON writes what is kept in the store; Stored reads it back.
func (j *Job) MarshalJSON() ([]byte, error) { return plain(j.document()) }

// Stored reads back, without loss, what MarshalJSON wrote. A field that it does not
// know was written by a newer version and is refused by name.
func Stored(data []byte) (*Job, error) {
	var d Document
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("a stored job is not readable: %w", err)
	}
	if wrong := NameProblem(d.Name); wrong != "" {
		return nil, fmt.Errorf("a stored job is not readable: its name %s", wrong)
	}
	j, err := d.job()
	if err != nil {
		return nil, fmt.Errorf("the stored job %s is not readable: %w", d.Name, err)
	}
	return j, nil
}

// job is the definition that the document writes.
func (d *Document) job() (*Job, error) {
	j := &Job{
		Name: d.Name, Command: d.Command, Shell: d.Shell, Arguments: noneIfEmpty(d.Arguments), Parents: noneIfEmpty(d.Parents), Retries: d.Retries,
		RetryOnLost: d.RetryOnLost, Concurrent: d.Concurrent, Disabled: d.Disabled, SoftError: d.SoftError, HighPriority: d.HighPriority,
		MaxCompletion: d.MaxCompletion, Owner: d.Owner, OwnerName: d.OwnerName, Description: d.Description, CPUs: d.CPUs, Mem: d.Mem, Disk: d.Disk,
		User: d.User, Env: noneIfEmpty(d.Env), Version: d.Version,
	}
	if d.Created != nil {
		j.Created = d.Created.UTC()
	}
	if d.Schedule != nil {
		j.Schedule = *d.Schedule
	}
	if d.Zone != nil {
		j.Zone = *d.Zone
	}
	var err error
	if j.RetryDelay, err = ParseDuration(d.RetryDelay); err != nil {
		return nil, err
	}
	if j.LostAfter, err = ParseDuration(d.LostAfter); err != nil {
		return nil, err
	}
	if d.Epsilon != "" {
		e, err := ParseDuration(d.Epsilon)
		if err != nil {
			return nil, err
		}
		j.Epsilon = &e
	}
	for _, f := range d.Fetch {
		j.Fetch = append(j.Fetch, Fetch(f))
	}
	for _, c := range d.Constraints {
		j.Constraints = append(j.Constraints, Constraint{c[0], Operator(c[1]), c[2]})
	}
	return j, nil
}

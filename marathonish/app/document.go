package app

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Document is an App as JSON writes it: what is always there, what is left out when
// unset, and what is left out when empty follow Marathon 1.5 and later. Whoever adds
// to the answer embeds it.
type Document struct {
	ID                         ID                  `json:"id"`
	AcceptedResourceRoles      []string            `json:"acceptedResourceRoles,omitempty"`
	Args                       []string            `json:"args,omitempty"`
	BackoffFactor              float64             `json:"backoffFactor"`
	BackoffSeconds             int                 `json:"backoffSeconds"`
	Cmd                        *string             `json:"cmd,omitempty"`
	Constraints                [][]string          `json:"constraints,omitempty"`
	CPUs                       float64             `json:"cpus"`
	Disk                       float64             `json:"disk"`
	Env                        map[string]string   `json:"env,omitempty"`
	Executor                   string              `json:"executor"`
	Fetch                      []fetchDocument     `json:"fetch,omitempty"`
	GPUs                       int                 `json:"gpus"`
	HealthChecks               []HealthCheck       `json:"healthChecks,omitempty"`
	Instances                  int                 `json:"instances"`
	KillSelection              KillSelection       `json:"killSelection"`
	Labels                     map[string]string   `json:"labels"`
	MaxLaunchDelaySeconds      int                 `json:"maxLaunchDelaySeconds"`
	Mem                        float64             `json:"mem"`
	Networks                   []networkDocument   `json:"networks"`
	PortDefinitions            []portDocument      `json:"portDefinitions"`
	RequirePorts               bool                `json:"requirePorts"`
	ResourceLimits             *limitsDocument     `json:"resourceLimits,omitempty"`
	Role                       string              `json:"role"`
	TaskKillGracePeriodSeconds *int                `json:"taskKillGracePeriodSeconds,omitempty"`
	UnreachableStrategy        unreachableDocument `json:"unreachableStrategy"`
	UpgradeStrategy            upgradeDocument     `json:"upgradeStrategy"`
	User                       string              `json:"user,omitempty"`
	Version                    Version             `json:"version,omitempty"`
	VersionInfo                *versionInfo        `json:"versionInfo,omitempty"`
}

type fetchDocument struct {
	URI        string `json:"uri"`
	Extract    bool   `json:"extract"`
	Executable bool   `json:"executable"`
	Cache      bool   `json:"cache"`
	DestPath   string `json:"destPath,omitempty"`
}

type networkDocument struct {
	Mode string `json:"mode"`
}

type portDocument struct {
	Port     int               `json:"port"`
	Name     string            `json:"name,omitempty"`
	Protocol string            `json:"protocol"`
	Labels   map[string]string `json:"labels,omitempty"`
}

type limitsDocument struct {
	CPUs *Limit `json:"cpus,omitempty"`
	Mem  *Limit `json:"mem,omitempty"`
}

type upgradeDocument struct {
	MaximumOverCapacity   float64 `json:"maximumOverCapacity"`
	MinimumHealthCapacity float64 `json:"minimumHealthCapacity"`
}

type versionInfo struct {
	LastScalingAt      Version `json:"lastScalingAt"`
	LastConfigChangeAt Version `json:"lastConfigChangeAt"`
}

// unreachableDocument is an object, or the text "disabled".
type unreachableDocument struct{ *UnreachableStrategy }

const disabled = "disabled"

type unreachableObject struct {
	ExpungeAfterSeconds  int `json:"expungeAfterSeconds"`
	InactiveAfterSeconds int `json:"inactiveAfterSeconds"`
}

// MarshalJSON writes the object, or the text.
func (u unreachableDocument) MarshalJSON() ([]byte, error) {
	if u.UnreachableStrategy == nil {
		return json.Marshal(disabled)
	}
	return json.Marshal(unreachableObject{u.ExpungeAfter, u.InactiveAfter})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (u *unreachableDocument) UnmarshalJSON(data []byte) error {
	if string(data) == `"`+disabled+`"` {
		return nil
	}
	var o unreachableObject
	if err := strictly(data, &o); err != nil {
		return err
	}
	u.UnreachableStrategy = &UnreachableStrategy{o.InactiveAfterSeconds, o.ExpungeAfterSeconds}
	return nil
}

const unlimited = "unlimited"

// MarshalJSON writes the amount, or the text "unlimited".
func (l Limit) MarshalJSON() ([]byte, error) {
	if l.IsUnlimited() {
		return json.Marshal(unlimited)
	}
	return json.Marshal(float64(l))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (l *Limit) UnmarshalJSON(data []byte) error {
	if string(data) == `"`+unlimited+`"` {
		*l = Unlimited()
		return nil
	}
	return json.Unmarshal(data, (*float64)(l))
}

// Document is the definition as JSON writes it. It shares the App's maps and slices,
// so it is only for reading.
func (a *App) Document() Document {
	d := Document{
		ID: a.ID, Cmd: a.Cmd, Args: a.Args, Instances: a.Instances, CPUs: a.CPUs, Mem: a.Mem, Disk: a.Disk, User: a.User, Env: a.Env, Labels: a.Labels,
		Role: a.Role, AcceptedResourceRoles: a.AcceptedResourceRoles, BackoffSeconds: a.BackoffSeconds, BackoffFactor: a.BackoffFactor,
		MaxLaunchDelaySeconds: a.MaxLaunchDelaySeconds, HealthChecks: a.HealthChecks, RequirePorts: a.RequirePorts, KillSelection: a.KillSelection,
		TaskKillGracePeriodSeconds: a.TaskKillGracePeriod, Networks: []networkDocument{{"host"}}, PortDefinitions: []portDocument{},
		UnreachableStrategy: unreachableDocument{a.UnreachableStrategy}, Version: a.Version,
		UpgradeStrategy: upgradeDocument{a.UpgradeStrategy.MaximumOverCapacity, a.UpgradeStrategy.MinimumHealthCapacity},
	}
	if d.Labels == nil {
		d.Labels = map[string]string{}
	}
	for _, c := range a.Constraints {
		row := []string{c.Field, string(c.Operator)}
		if c.Value != "" {
			row = append(row, c.Value)
		}
		d.Constraints = append(d.Constraints, row)
	}
	for _, f := range a.Fetch {
		d.Fetch = append(d.Fetch, fetchDocument(f))
	}
	for _, p := range a.PortDefinitions {
		d.PortDefinitions = append(d.PortDefinitions, portDocument{p.Port, p.Name, p.Protocol, p.Labels})
	}
	if l := a.ResourceLimits; l.CPUs != nil || l.Mem != nil {
		d.ResourceLimits = &limitsDocument{l.CPUs, l.Mem}
	}
	if a.LastScalingAt != "" || a.LastConfigChangeAt != "" {
		d.VersionInfo = &versionInfo{a.LastScalingAt, a.LastConfigChangeAt}
	}
	return d
}

// MarshalJSON writes the Document: what clients see, and what is kept in the store.
func (a *App) MarshalJSON() ([]byte, error) { return plainJSON(a.Document()) }

// plainJSON is JSON in which <, > and & stay readable.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// strictly reads one JSON value and refuses fields that v has not.
func strictly(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// Stored reads back, without loss, what MarshalJSON wrote. A field that it does not
// know was written by a newer version and is refused by name.
func Stored(data []byte) (*App, error) {
	var d Document
	if err := strictly(data, &d); err != nil {
		return nil, fmt.Errorf("a stored app is not readable: %w", err)
	}
	if wrong := d.ID.problem(); wrong != "" {
		return nil, fmt.Errorf("a stored app is not readable: its id %q %s", d.ID, wrong)
	}
	return d.app(), nil
}

// app is the definition that the document writes.
func (d *Document) app() *App {
	a := &App{
		ID: d.ID, Cmd: d.Cmd, Args: noneIfEmpty(d.Args), Instances: d.Instances, CPUs: d.CPUs, Mem: d.Mem, Disk: d.Disk, User: d.User, Role: d.Role,
		AcceptedResourceRoles: noneIfEmpty(d.AcceptedResourceRoles), BackoffSeconds: d.BackoffSeconds, BackoffFactor: d.BackoffFactor,
		MaxLaunchDelaySeconds: d.MaxLaunchDelaySeconds, HealthChecks: noneIfEmpty(d.HealthChecks), RequirePorts: d.RequirePorts, KillSelection: d.KillSelection,
		TaskKillGracePeriod: d.TaskKillGracePeriodSeconds, UnreachableStrategy: d.UnreachableStrategy.UnreachableStrategy, Version: d.Version,
		UpgradeStrategy: UpgradeStrategy{d.UpgradeStrategy.MinimumHealthCapacity, d.UpgradeStrategy.MaximumOverCapacity},
	}
	if len(d.Env) > 0 {
		a.Env = d.Env
	}
	if len(d.Labels) > 0 {
		a.Labels = d.Labels
	}
	for _, row := range d.Constraints {
		row = append(row, "", "", "")
		a.Constraints = append(a.Constraints, Constraint{row[0], Operator(row[1]), row[2]})
	}
	for _, f := range d.Fetch {
		a.Fetch = append(a.Fetch, Fetch(f))
	}
	for _, p := range d.PortDefinitions {
		a.PortDefinitions = append(a.PortDefinitions, PortDefinition{p.Port, p.Protocol, p.Name, p.Labels})
	}
	if d.ResourceLimits != nil {
		a.ResourceLimits = ResourceLimits{d.ResourceLimits.CPUs, d.ResourceLimits.Mem}
	}
	if d.VersionInfo != nil {
		a.LastScalingAt, a.LastConfigChangeAt = d.VersionInfo.LastScalingAt, d.VersionInfo.LastConfigChangeAt
	}
	return a
}

func noneIfEmpty[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return s
}

package boot

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/profferhq/proffer/sdk"
)

// MaxManifest bounds the text of a manifest, in bytes.
const MaxManifest = 512 << 10

//go:embed boot.yaml
var defaultText string //nolint:gochecknoglobals // what go:embed makes

// DefaultManifest is what a cluster starts unless it is told otherwise: configs/boot.yaml.
func DefaultManifest() (*sdk.BootManifest, error) { return ParseManifest([]byte(defaultText)) }

// file is a manifest as people write it.
type file struct {
	Frameworks []entry          `yaml:"frameworks"`
	Apps       []map[string]any `yaml:"apps"`
}

// entry is one framework as people write it.
type entry struct {
	Name      string  `yaml:"name"`
	Principal string  `yaml:"principal"`
	Command   string  `yaml:"command"`
	Instances *uint32 `yaml:"instances"` // 1 without
	Role      string  `yaml:"role"`      // system without
	CPUs      float64 `yaml:"cpus"`
	Mem       float64 `yaml:"mem"`
	MemLimit  float64 `yaml:"mem_limit,omitempty"`
	User      string  `yaml:"user,omitempty"`
}

// ParseManifest reads a manifest, YAML or JSON. Errors are CodeInvalid, with the line or
// the path; unknown keys are errors.
func ParseManifest(text []byte) (*sdk.BootManifest, error) {
	if len(text) > MaxManifest {
		return nil, sdk.Errorf(sdk.CodeExhausted, "", "the manifest has %d bytes, at most %d are read", len(text), MaxManifest)
	}
	var f file
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "the manifest can not be read: %v", err)
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "the manifest is more than one document")
	}
	m := &sdk.BootManifest{}
	for _, x := range f.Frameworks {
		one := sdk.BootFramework{Name: x.Name, Principal: x.Principal, Command: x.Command, Instances: 1,
			Role: x.Role, CPUs: x.CPUs, Mem: x.Mem, MemLimit: x.MemLimit, User: x.User}
		if x.Instances != nil {
			one.Instances = *x.Instances
		}
		if one.Role == "" {
			one.Role = "system"
		}
		m.Frameworks = append(m.Frameworks, one)
	}
	for i, app := range f.Apps {
		data, err := json.Marshal(app)
		if err != nil {
			return nil, sdk.Errorf(sdk.CodeInvalid, fmt.Sprintf("apps[%d]", i), "can not be written as JSON: %v", err)
		}
		m.Apps = append(m.Apps, string(data))
	}
	return m, m.Validate()
}

// FormatManifest writes a manifest as ParseManifest reads it.
func FormatManifest(m *sdk.BootManifest) ([]byte, error) {
	f := file{Frameworks: []entry{}, Apps: []map[string]any{}}
	for _, x := range m.Frameworks {
		f.Frameworks = append(f.Frameworks, entry{x.Name, x.Principal, x.Command, &x.Instances, x.Role, x.CPUs, x.Mem, x.MemLimit, x.User})
	}
	for i, text := range m.Apps {
		var app map[string]any
		dec := json.NewDecoder(bytes.NewReader([]byte(text)))
		if err := dec.Decode(&app); err != nil {
			return nil, sdk.Errorf(sdk.CodeInvalid, fmt.Sprintf("apps[%d]", i), "is no JSON object: %v", err)
		}
		f.Apps = append(f.Apps, app)
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(f); err != nil {
		return nil, err
	}
	return out.Bytes(), enc.Close()
}

// Starts tells whether a manifest has a framework of that name, or an app that is one: its
// label says whose credentials it gets, and by convention a framework has the name of its
// principal.
func Starts(m *sdk.BootManifest, name string) bool {
	return slices.ContainsFunc(m.Frameworks, func(f sdk.BootFramework) bool { return f.Name == name }) ||
		slices.ContainsFunc(m.Apps, func(text string) bool {
			var app struct {
				Labels map[string]string `json:"labels"`
			}
			if err := json.Unmarshal([]byte(text), &app); err != nil {
				return false // marathonish says what is wrong with it
			}
			principal, is := app.Labels[frameworkLabel]
			return is && principal == name
		})
}

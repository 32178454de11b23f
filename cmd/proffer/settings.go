package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// setting is one key of a daemon. The one table of settings makes the flag (--name), the
// environment variable (PREFIX_NAME) and the key of the configuration file (name); a flag
// wins over the environment, which wins over the file.
type setting struct {
	name   string
	help   string
	target any // *string, *int, *bool, *float64, *time.Duration, *[]string
}

// settings is a daemon's table.
type settings struct {
	prefix string // of the environment variables, such as PROFFER_AGENT
	rows   []setting
	file   string
	// profiles are, by their names, what the keys that nobody has set are; the key
	// "profile" chooses one. Nil for a daemon that has none.
	profiles map[string]map[string]string
}

// register makes the flags.
func (s *settings) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.file, "config", "", "YAML file with the same keys as the flags")
	for _, row := range s.rows {
		help := row.help + " (environment: " + s.env(row.name) + ")"
		switch t := row.target.(type) {
		case *string:
			f.StringVar(t, row.name, *t, help)
		case *int:
			f.IntVar(t, row.name, *t, help)
		case *int64:
			f.Int64Var(t, row.name, *t, help)
		case *uint32:
			f.Uint32Var(t, row.name, *t, help)
		case *uint64:
			f.Uint64Var(t, row.name, *t, help)
		case *bool:
			f.BoolVar(t, row.name, *t, help)
		case *float64:
			f.Float64Var(t, row.name, *t, help)
		case *[]string:
			f.StringSliceVar(t, row.name, *t, help)
		case *time.Duration:
			f.DurationVar(t, row.name, *t, help)
		default:
			panic(fmt.Sprintf("the setting %s has a target of type %T", row.name, row.target))
		}
	}
}

func (s *settings) env(name string) string {
	return s.prefix + "_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// load fills in what no flag has set, and names everything that is wrong.
func (s *settings) load(f *pflag.FlagSet) error {
	var all []error
	set := func(name, from, text string) {
		flag := f.Lookup(name)
		if flag.Changed {
			return
		}
		if err := f.Set(name, text); err != nil {
			all = append(all, fmt.Errorf("%s: %w", from, err))
		}
	}
	for _, row := range s.rows {
		if text, ok := os.LookupEnv(s.env(row.name)); ok {
			set(row.name, s.env(row.name), text)
		}
	}
	keys, err := s.read()
	if err != nil {
		return usageError{err}
	}
	for _, k := range keys {
		if !slices.ContainsFunc(s.rows, func(r setting) bool { return r.name == k.name }) {
			all = append(all, fmt.Errorf("%s:%d: unknown key %q", s.file, k.line, k.name))
			continue
		}
		set(k.name, fmt.Sprintf("%s:%d", s.file, k.line), k.text)
	}
	all = append(all, s.loadProfile(f))
	if err := errors.Join(all...); err != nil {
		return usageError{err}
	}
	return nil
}

// loadProfile fills in what nobody has set, by the profile.
func (s *settings) loadProfile(f *pflag.FlagSet) error {
	if s.profiles == nil {
		return nil
	}
	name := f.Lookup("profile").Value.String()
	values, known := s.profiles[name]
	if !known {
		return fmt.Errorf("--profile %q: must be one of %s", name, strings.Join(slices.Sorted(maps.Keys(s.profiles)), ", "))
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !f.Lookup(key).Changed {
			if err := f.Set(key, values[key]); err != nil {
				return fmt.Errorf("the profile %s: %s: %w", name, key, err)
			}
		}
	}
	return nil
}

// key is one line of a configuration file.
type key struct {
	name, text string
	line       int
}

// maxConfig bounds a configuration file, in bytes.
const maxConfig = 1 << 20

// read reads the file's keys; lists become what a flag takes, joined by commas.
func (s *settings) read() ([]key, error) {
	if s.file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(s.file)
	if err != nil {
		return nil, err
	}
	if len(data) > maxConfig {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are read", s.file, len(data), maxConfig)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", s.file, err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: keys with values are expected", s.file, top.Line)
	}
	var out []key
	for i := 0; i+1 < len(top.Content); i += 2 {
		name, value := top.Content[i], top.Content[i+1]
		k := key{name: name.Value, line: name.Line}
		switch value.Kind {
		case yaml.ScalarNode:
			k.text = value.Value
		case yaml.SequenceNode:
			var parts []string
			for _, e := range value.Content {
				parts = append(parts, e.Value)
			}
			k.text = strings.Join(parts, ",")
		default:
			return nil, fmt.Errorf("%s:%d: %s takes a value or a list", s.file, name.Line, name.Value)
		}
		out = append(out, k)
	}
	return out, nil
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// jobDocument is a definition, whose fields are kept as they were written.
type jobDocument struct {
	name   string
	fields map[string]json.RawMessage
}

// parents are its parents; what is no list of names is for chronosish to refuse.
func (d jobDocument) parents() []string {
	var list []string
	_ = json.Unmarshal(d.fields["parents"], &list)
	return list
}

// dependent tells which of Chronos's two kinds it means to be. One that has neither a
// schedule nor any of the parents that it speaks of is no job that starts now.
func (d jobDocument) dependent() bool {
	given := func(field string) bool { raw := d.fields[field]; return len(raw) > 0 && string(raw) != "null" }
	return len(d.parents()) > 0 || given("parents") && !given("schedule")
}

// readJobs reads every definition of the files, in their order; each job once.
func readJobs(files []string, in io.Reader) ([]jobDocument, error) {
	var out []jobDocument
	seen := map[string]string{}
	for _, file := range files {
		data, err := readBounded(file, in)
		if err != nil {
			return nil, err
		}
		docs, err := parseJobs(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, d := range docs {
			other, twice := seen[d.name]
			switch {
			case twice && other == file:
				return nil, fmt.Errorf("%s defines the job %q twice", file, d.name)
			case twice:
				return nil, fmt.Errorf("%s defines the job %q, which %s defines too", file, d.name, other)
			}
			seen[d.name] = file
		}
		out = append(out, docs...)
	}
	return out, nil
}

// parseJobs reads definitions of jobs, one object or a list of them, in JSON or YAML. It
// checks no more than what the client itself needs.
func parseJobs(data []byte) ([]jobDocument, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("it is empty; a job's definition is expected")
	}
	bodies, err := objects(data)
	if err != nil {
		return nil, err
	}
	var out []jobDocument
	for _, body := range bodies {
		var d jobDocument
		if json.Unmarshal(body, &d.fields) != nil || d.fields == nil {
			return nil, errors.New("a job is an object with a name")
		}
		if json.Unmarshal(d.fields["name"], &d.name) != nil || d.name == "" {
			return nil, errors.New(`a job has no name, such as "name": "report"`)
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, errors.New("it defines no job")
	}
	return out, nil
}

// parentsFirst puts jobs behind those of them that are their parents, and else keeps the
// order. A cycle stays as it is: chronosish refuses it, and says which.
func parentsFirst(docs []jobDocument) []jobDocument {
	out := make([]jobDocument, 0, len(docs))
	left := slices.Clone(docs)
	for len(left) > 0 {
		names := map[string]bool{}
		for _, d := range left {
			names[d.name] = true
		}
		var later []jobDocument
		for _, d := range left {
			if slices.ContainsFunc(d.parents(), func(p string) bool { return names[p] }) {
				later = append(later, d)
			} else {
				out = append(out, d)
			}
		}
		if len(later) == len(left) {
			return append(out, left...)
		}
		left = later
	}
	return out
}

// carry puts local files into the definitions, as data: URIs to be fetched.
func carry(docs []jobDocument, files []string) error {
	uris, err := shipped(files)
	if err != nil || len(uris) == 0 {
		return err
	}
	for _, d := range docs {
		var fetch, plain []any
		for field, to := range map[string]*[]any{"fetch": &fetch, "uris": &plain} {
			if raw, given := d.fields[field]; given && json.Unmarshal(raw, to) != nil {
				return usagef("%s of the job %q is no list, so that --file could add to it", field, d.name)
			}
		}
		if len(fetch) == 0 { // uris cannot stand beside fetch; Chronos unpacks them
			for _, uri := range plain {
				fetch = append(fetch, map[string]any{"uri": uri, "extract": true})
			}
		}
		delete(d.fields, "uris")
		for _, u := range uris {
			fetch = append(fetch, map[string]any{"uri": u.Value, "output_file": u.OutputFile, "executable": u.Executable, "extract": false})
		}
		if d.fields["fetch"], err = json.Marshal(fetch); err != nil {
			return err
		}
	}
	return nil
}

// equip puts variables into the environments of the jobs, in the place of those of their
// names.
func equip(docs []jobDocument, pairs []string) error {
	env, err := environment(pairs)
	if err != nil || env == nil {
		return err
	}
	for _, d := range docs {
		var list []map[string]any
		if raw, given := d.fields["environmentVariables"]; given && json.Unmarshal(raw, &list) != nil {
			return usagef("environmentVariables of the job %q is no list of objects, so that --env could add to it", d.name)
		}
		for _, v := range env.Variables {
			list = slices.DeleteFunc(list, func(have map[string]any) bool { return have["name"] == v.Name })
			list = append(list, map[string]any{"name": v.Name, "value": v.Value})
		}
		if d.fields["environmentVariables"], err = json.Marshal(list); err != nil {
			return err
		}
	}
	return nil
}

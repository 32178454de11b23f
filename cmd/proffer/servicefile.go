package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// appDocument is one definition of a file, as JSON.
type appDocument struct {
	id   string
	body json.RawMessage
}

// maxAppFile bounds a file of definitions, in bytes.
const maxAppFile = 8 << 20

// readBounded reads a file; "-" is the input.
func readBounded(name string, in io.Reader) ([]byte, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxAppFile+1))
	if err == nil && len(data) > maxAppFile {
		err = fmt.Errorf("%s has more than %d bytes", name, maxAppFile)
	}
	return data, err
}

// parseApps reads definitions of services: one object or a list of them, in JSON, or in
// YAML, where several documents may follow each other.
func parseApps(data []byte) ([]appDocument, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("it is empty; a service's definition is expected")
	}
	bodies, err := objects(data)
	if err != nil {
		return nil, err
	}
	var out []appDocument
	for _, body := range bodies {
		one, err := newAppDocument(body)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		return nil, errors.New("it defines no service")
	}
	return out, nil
}

// objects gives every definition of a text that is not empty, in JSON or YAML, as JSON:
// those of a list one by one.
func objects(data []byte) ([]json.RawMessage, error) {
	trimmed := bytes.TrimSpace(data)
	docs := []json.RawMessage{trimmed}
	// JSON as it stands keeps its bytes; YAML's reader would refuse its tabs.
	if trimmed[0] != '{' && trimmed[0] != '[' || !json.Valid(trimmed) {
		var err error
		if docs, err = fromYAML(data); err != nil {
			return nil, jsonError(trimmed, err)
		}
	}
	var out []json.RawMessage
	for _, d := range docs {
		list := []json.RawMessage{d}
		if d[0] == '[' {
			if err := json.Unmarshal(d, &list); err != nil {
				return nil, err
			}
		}
		out = append(out, list...)
	}
	return out, nil
}

// newAppDocument checks no more than what the client itself needs: the rest is refused by
// marathonish, with the path.
func newAppDocument(body json.RawMessage) (appDocument, error) {
	var d struct {
		ID   string          `json:"id"`
		Apps json.RawMessage `json:"apps"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return appDocument{}, fmt.Errorf("a service is an object with an id: %w", err)
	}
	if d.Apps != nil {
		return appDocument{}, errors.New("it is a group, and groups are not served yet: write its apps as a list")
	}
	if short(d.ID) == "" {
		return appDocument{}, errors.New("a service has no id, such as \"id\": \"/web\"")
	}
	return appDocument{id: d.ID, body: body}, nil
}

// jsonError prefers JSON's own complaint for what is meant as JSON.
func jsonError(data []byte, err error) error {
	if start := strings.TrimLeft(string(data[1:]), " \t\r\n"); data[0] != '{' && data[0] != '[' || !strings.HasPrefix(start, `"`) && !strings.HasPrefix(start, "{") {
		return err
	}
	var bad *json.SyntaxError
	var any json.RawMessage
	if errors.As(json.Unmarshal(data, &any), &bad) {
		return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:min(int(bad.Offset), len(data))], []byte("\n")), bad)
	}
	return err
}

// fromYAML gives every document of a YAML text as JSON.
func fromYAML(data []byte) ([]json.RawMessage, error) {
	var out []json.RawMessage
	for dec := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if len(doc.Content) == 0 {
			continue
		}
		budget := maxNodes
		value, err := plain(doc.Content[0], 0, &budget)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
}

// What a YAML text may come to, aliases written out.
const (
	maxNesting = 50
	maxNodes   = 1 << 20
)

// plain is a YAML node as encoding/json writes it. Dates stay the texts that they are.
func plain(n *yaml.Node, depth int, budget *int) (any, error) {
	if *budget--; *budget < 0 {
		return nil, fmt.Errorf("line %d: more than %d values", n.Line, maxNodes)
	}
	if depth > maxNesting {
		return nil, fmt.Errorf("line %d: nested deeper than %d", n.Line, maxNesting)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return plain(n.Alias, depth+1, budget)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, e := range n.Content {
			var err error
			if list[i], err = plain(e, depth+1, budget); err != nil {
				return nil, err
			}
		}
		return list, nil
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
				return nil, fmt.Errorf("line %d: a key is a plain word", key.Line)
			}
			if _, twice := object[key.Value]; twice {
				return nil, fmt.Errorf("line %d: %q stands here a second time", key.Line, key.Value)
			}
			value, err := plain(n.Content[i+1], depth+1, budget)
			if err != nil {
				return nil, err
			}
			object[key.Value] = value
		}
		return object, nil
	}
	if n.Tag == "!!timestamp" || n.Tag == "!!binary" {
		return n.Value, nil
	}
	var value any
	if err := n.Decode(&value); err != nil {
		return nil, fmt.Errorf("line %d: %w", n.Line, err)
	}
	return value, nil
}

package job

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// MaxInline is how much may travel inside a task, in bytes: what is in all of its data:
// URIs together. Agents refuse more.
const MaxInline = 512 << 10

// Data takes a data: URI in base64 apart: prefix is what stands before the base64. false:
// the URI is another one, or one that prefix and data do not write letter for letter.
func (x Fetch) Data() (prefix string, data []byte, ok bool) {
	i := strings.IndexByte(x.URI, ',')
	if i < 0 || !strings.HasPrefix(x.URI, "data:") || !strings.HasSuffix(x.URI[:i], ";base64") {
		return "", nil, false
	}
	data, err := base64.StdEncoding.Strict().DecodeString(x.URI[i+1:])
	if err != nil || base64.StdEncoding.EncodedLen(len(data)) != len(x.URI)-i-1 { // it passes over line breaks
		return "", nil, false
	}
	return x.URI[:i+1], data, true
}

// WithData is the fetch with its data: URI put together again.
func (x Fetch) WithData(prefix string, data []byte) Fetch {
	x.URI = prefix + base64.StdEncoding.EncodeToString(data)
	return x
}

// inlineSize is how many bytes a data: URI has, as agents read it; 0 for other URIs.
func (x Fetch) inlineSize() (int, error) {
	rest, is := strings.CutPrefix(x.URI, "data:")
	if !is {
		return 0, nil
	}
	if _, data, ok := x.Data(); ok {
		return len(data), nil
	}
	head, body, found := strings.Cut(rest, ",")
	if !found {
		return 0, fmt.Errorf("has no comma before its data")
	}
	plain, err := url.PathUnescape(body)
	if err != nil {
		return 0, fmt.Errorf("has a bad percent sign")
	}
	if i := strings.LastIndexByte(head, ';'); i < 0 || !strings.EqualFold(strings.TrimSpace(head[i+1:]), "base64") {
		return len(plain), nil
	}
	// Both alphabets, line breaks and missing padding are fine.
	plain = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n=", r) {
			return -1
		}
		return r
	}, plain)
	data, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(plain))
	if err != nil {
		return 0, fmt.Errorf("has base64 that is damaged")
	}
	return len(data), nil
}

// smallInline is how long a data: URI may be that lists show whole, in bytes.
const smallInline = 4 << 10

// Brief is the fetch as lists show it: of a long data: URI without its data, of which the
// size is told instead, as data:;size=524288;base64, is.
func (x Fetch) Brief() Fetch {
	if size, err := x.inlineSize(); err == nil && len(x.URI) > smallInline && size > 0 {
		head, _, _ := strings.Cut(x.URI, ",")
		head, base64 := strings.CutSuffix(head, ";base64")
		x.URI = fmt.Sprintf("%s;size=%d", head, size)
		if base64 {
			x.URI += ";base64"
		}
		x.URI += ","
	}
	return x
}

// isBrief tells whether the URI is one of those that Brief makes.
func (x Fetch) isBrief() bool {
	head, data, _ := strings.Cut(x.URI, ",")
	return data == "" && strings.HasPrefix(head, "data:") && strings.Contains(head, ";size=")
}

// Brief is the document as lists show it (see Fetch.Brief).
func (d Document) Brief() Document {
	d.URIs, d.Fetch = slices.Clone(d.URIs), slices.Clone(d.Fetch)
	for i, f := range d.Fetch {
		d.Fetch[i] = fetchDocument(Fetch(f).Brief())
		d.URIs[i] = d.Fetch[i].URI
	}
	return d
}

// Complete puts back the data of files that the job was sent without, as lists show them:
// it is that of the file at the same place of was, nil for no job. The error is a *Refusal.
func (j *Job) Complete(was *Job) error {
	for i, x := range j.Fetch {
		if !x.isBrief() {
			continue
		}
		if was == nil || i >= len(was.Fetch) || was.Fetch[i].Brief().URI != x.URI {
			return Invalid("fetch[%d].uri is %s, as lists show a file, without its data; send it whole. The job itself, read by its name, has it.", i, shorten(x.URI))
		}
		j.Fetch[i].URI = was.Fetch[i].URI
	}
	f := &faults{}
	if j.checkInline(f); len(f.sentences) > 0 { // with others that were sent
		return f.refusal()
	}
	return nil
}

// checkInline refuses what agents would: files that cannot be read, or too much of them.
func (j *Job) checkInline(f *faults) {
	sum := 0
	for i, x := range j.Fetch {
		size, err := x.inlineSize()
		if err != nil {
			f.add(fmt.Sprintf("fetch[%d].uri", i), "is a data: URI that %v", err)
			continue
		}
		if sum += size; sum > MaxInline {
			f.add("fetch", "has files of %d bytes in all with %s, which has %d, and at most %d can travel inside a task; fetch larger ones over http", sum, shorten(x.OutputFile), size, MaxInline)
			return
		}
	}
}

package job

import (
	"encoding/base64"
	"fmt"
	"net/url"
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

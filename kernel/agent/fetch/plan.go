package fetch

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// item is one URI, understood.
type item struct {
	scheme  string // data, http, https or file
	source  string // URL without fragment, or path
	data    []byte // of a data: URI
	name    string // where it goes, relative to the sandbox
	exec    bool
	unpack  string // "", or the kind of archive: tar, tar.gz, tar.bz2, tar.xz, zip, gz
	sha256  []byte // wanted digest; nil for none
	display string // for messages: never the content
}

// plan understands all URIs of a task, or names the first that is wrong.
func plan(uris []sdk.URI, allowFile bool, l Limits) ([]item, error) {
	var out []item
	inline := int64(0)
	for i, u := range uris {
		it, err := parse(u, allowFile)
		if err != nil {
			return nil, sdk.Errorf(sdk.CodeInvalid, "", "command.uris[%d]: %s", i, err.Error())
		}
		if inline += int64(len(it.data)); inline > l.InlineBytes {
			return nil, sdk.Errorf(sdk.CodeTooLarge, "", "command.uris[%d]: the files inside the task have %d bytes with this one, at most %d are allowed", i, inline, l.InlineBytes)
		}
		out = append(out, it)
	}
	return out, nil
}

func parse(u sdk.URI, allowFile bool) (item, error) {
	it := item{exec: u.Executable, name: u.OutputFile}
	text, fragment, _ := strings.Cut(u.Value, "#")
	if err := it.digest(fragment); err != nil {
		return it, err
	}
	switch {
	case strings.HasPrefix(text, "data:"):
		it.scheme, it.display = "data", "data:…"
		var err error
		if it.data, err = parseData(text); err != nil {
			return it, err
		}
		if it.name == "" {
			return it, sdk.Errorf(sdk.CodeInvalid, "output_file", "a data: URI has no name of its own; give one")
		}
	case strings.HasPrefix(text, "http://"), strings.HasPrefix(text, "https://"):
		parsed, err := url.Parse(text)
		if err != nil || parsed.Host == "" {
			return it, sdk.Errorf(sdk.CodeInvalid, "value", "%q is not a URL", clip(text))
		}
		it.scheme, it.source, it.display = parsed.Scheme, text, parsed.Redacted()
		if it.name == "" {
			it.name = path.Base(parsed.Path)
		}
	case strings.HasPrefix(text, "file://"), strings.HasPrefix(text, "/"):
		if !allowFile {
			return it, sdk.Errorf(sdk.CodeDenied, "value", "files of the agent's machine are not allowed here (--allow-file-uris)")
		}
		it.scheme, it.source = "file", strings.TrimPrefix(text, "file://")
		it.display = it.source
		if it.name == "" {
			it.name = path.Base(it.source)
		}
	default:
		return it, sdk.Errorf(sdk.CodeInvalid, "value", "%q is none of http, https, data, file", clip(text))
	}
	if !filepath.IsLocal(it.name) || it.name == "." || strings.ContainsRune(it.name, 0) {
		return it, sdk.Errorf(sdk.CodeInvalid, "output_file", "%q does not stay in the sandbox", clip(it.name))
	}
	if (u.Extract == nil || *u.Extract) && !u.Executable && it.scheme != "data" {
		it.unpack = archiveKind(firstName(it, u))
	}
	return it, nil
}

// firstName is what the kind of archive is told by: the source's name, not the new one.
func firstName(it item, u sdk.URI) string {
	if parsed, err := url.Parse(it.source); err == nil && it.scheme != "file" {
		return path.Base(parsed.Path)
	}
	return path.Base(it.source)
}

func (it *item) digest(fragment string) error {
	text, ok := strings.CutPrefix(fragment, "sha256=")
	if !ok {
		return nil
	}
	sum, err := hex.DecodeString(text)
	if err != nil || len(sum) != 32 {
		return sdk.Errorf(sdk.CodeInvalid, "value", "#sha256= takes 64 hexadecimal digits")
	}
	it.sha256 = sum
	return nil
}

// archiveKind is told by the name's ending, as Mesos does it.
func archiveKind(name string) string {
	for _, row := range [][2]string{
		{".tar", "tar"}, {".tar.gz", "tar.gz"}, {".tgz", "tar.gz"}, {".tar.bz2", "tar.bz2"}, {".tbz2", "tar.bz2"},
		{".tar.xz", "tar.xz"}, {".txz", "tar.xz"}, {".zip", "zip"}, {".gz", "gz"},
	} {
		if strings.HasSuffix(name, row[0]) {
			return row[1]
		}
	}
	return ""
}

// parseData decodes a data: URI (RFC 2397).
func parseData(text string) ([]byte, error) {
	head, body, found := strings.Cut(strings.TrimPrefix(text, "data:"), ",")
	if !found {
		return nil, sdk.Errorf(sdk.CodeInvalid, "value", "a data: URI has a comma before its content")
	}
	if strings.HasSuffix(head, ";base64") {
		data, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			return nil, sdk.Errorf(sdk.CodeInvalid, "value", "the content of a data: URI is not base64: %v", err)
		}
		return data, nil
	}
	data, err := url.PathUnescape(body)
	if err != nil {
		return nil, sdk.Errorf(sdk.CodeInvalid, "value", "the content of a data: URI is not percent-encoded: %v", err)
	}
	return []byte(data), nil
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

package fetch

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// item is one URI, understood: nothing about it can be wrong any more except what
// only the network and the disk know.
type item struct {
	field      string // for errors: "command.uris[2]"
	scheme     string // data, file, http or https
	address    string // without the fragment; for file the path
	shown      string // the address without a password, for errors
	name       string // where it goes, relative to the sandbox
	content    []byte // of a data: URI
	executable bool
	unpack     string // the archive's kind, empty for none
	digest     digest
}

// digest is what #sha256=… or #sha512=… at the end of a URI asks for.
type digest struct {
	kind string
	want string // lower-case hex
}

func (d digest) hash() hash.Hash {
	switch d.kind {
	case "sha256":
		return sha256.New()
	case "sha512":
		return sha512.New()
	}
	return nil
}

// plan understands all URIs of a task and refuses what is wrong before anything is
// fetched.
func plan(uris []sdk.URI, allowFile bool, limits Limits) ([]item, error) {
	items := make([]item, 0, len(uris))
	inline := int64(0)
	for n, u := range uris {
		field := fmt.Sprintf("command.uris[%d]", n)
		it, err := planOne(field, u, allowFile)
		if err != nil {
			return nil, err
		}
		inline += int64(len(it.content))
		items = append(items, it)
	}
	if inline > limits.InlineBytes {
		return nil, sdk.Errorf(sdk.CodeTooLarge, "command.uris", "the files inside this task have %d bytes in all, at most %d are allowed; put larger ones on a web server", inline, limits.InlineBytes)
	}
	return items, nil
}

func planOne(field string, u sdk.URI, allowFile bool) (item, error) {
	it := item{field: field, executable: u.Executable}
	address, fragment, _ := strings.Cut(u.Value, "#")
	var err error
	if it.digest, err = parseDigest(field, fragment); err != nil {
		return it, err
	}
	fallback := ""
	switch scheme, _, ok := strings.Cut(address, ":"); {
	case ok && strings.EqualFold(scheme, "data"):
		it.scheme, it.shown = "data", "a data: URI"
		if it.content, err = parseData(address[len("data:"):]); err != nil {
			return it, sdk.Errorf(sdk.CodeInvalid, field+".value", "%v", err)
		}
	case ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")):
		parsed, err := url.Parse(address)
		if err != nil || parsed.Host == "" {
			return it, sdk.Errorf(sdk.CodeInvalid, field+".value", "is no valid http address")
		}
		it.scheme, it.address, it.shown = strings.ToLower(scheme), address, parsed.Redacted()
		fallback = path.Base(parsed.Path)
	case ok && strings.EqualFold(scheme, "file"):
		parsed, err := url.Parse(address)
		if err != nil || parsed.Path == "" || parsed.Host != "" && parsed.Host != "localhost" {
			return it, sdk.Errorf(sdk.CodeInvalid, field+".value", "is no file address of this machine; it must be as in file:///path")
		}
		it.address = parsed.Path
	case filepath.IsAbs(address): // Mesos takes a plain path for a file
		it.address = address
	default:
		return it, sdk.Errorf(sdk.CodeUnsupported, field+".value", "has a scheme that this agent does not fetch; it knows http, https, data and, where the operator allows it, file")
	}
	if it.scheme == "" {
		it.scheme, it.shown, fallback = "file", it.address, path.Base(it.address)
		if !allowFile {
			return it, sdk.Errorf(sdk.CodeDenied, field+".value", "names a file of the agent's machine, and this agent does not allow that (--allow-file-uris)")
		}
	}
	return it, it.place(u, fallback)
}

// place decides the name in the sandbox and whether the file is unpacked there.
func (it *item) place(u sdk.URI, fallback string) error {
	it.name = u.OutputFile
	where := it.field + ".output_file"
	if it.name == "" {
		it.name, where = fallback, it.field+".value"
		if it.name == "" || it.name == "." || it.name == "/" {
			return sdk.Errorf(sdk.CodeInvalid, it.field+".output_file", "must be given, because %s has no file name", it.shown)
		}
	}
	if err := checkName(it.name); err != nil {
		return sdk.Errorf(sdk.CodeInvalid, where, "%v", err)
	}
	it.name = filepath.Clean(it.name)
	// What travels inside a task is unpacked only when the task says so: extract is
	// on by default, and who ships an archive means the archive.
	wanted := u.Extract == nil && it.scheme != "data" || u.Extract != nil && *u.Extract
	if wanted && !u.Executable {
		it.unpack = archiveKind(it.name)
	}
	return nil
}

// checkName accepts a name that stays below the directory that it is used in.
func checkName(name string) error {
	switch {
	case strings.ContainsRune(name, 0):
		return fmt.Errorf("the name %q has a NUL byte", name)
	case len(name) > 4000:
		return fmt.Errorf("the name has %d bytes, at most 4000 are allowed", len(name))
	case filepath.IsAbs(name):
		return fmt.Errorf("the name %q is absolute; it must lie in the sandbox", name)
	case !filepath.IsLocal(name):
		return fmt.Errorf("the name %q leads out of the sandbox", name)
	case filepath.Clean(name) == ".":
		return fmt.Errorf("the name %q is the sandbox itself", name)
	}
	for _, part := range strings.Split(name, "/") {
		if len(part) > 255 {
			return fmt.Errorf("a part of the name has %d bytes, at most 255 are allowed", len(part))
		}
	}
	return nil
}

func parseDigest(field, fragment string) (digest, error) {
	kind, want, ok := strings.Cut(fragment, "=")
	d := digest{kind: strings.ToLower(kind), want: strings.ToLower(want)}
	h := d.hash()
	if !ok || h == nil {
		return digest{}, nil // any other fragment means nothing to a fetcher
	}
	if b, err := hex.DecodeString(d.want); err != nil || len(b) != h.Size() {
		return digest{}, sdk.Errorf(sdk.CodeInvalid, field+".value", "asks for a %s digest that is not %d hexadecimal digits", d.kind, 2*h.Size())
	}
	return d, nil
}

// check compares what was fetched with the digest that was asked for.
func (it *item) check(h hash.Hash) error {
	if h == nil {
		return nil
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != it.digest.want {
		return sdk.Errorf(sdk.CodeInvalid, it.field+".value", "%s has the %s digest %s, not %s as asked for", it.shown, it.digest.kind, got, it.digest.want)
	}
	return nil
}

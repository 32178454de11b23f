package main

import (
	"encoding/base64"
	"os"
	"path/filepath"

	"github.com/profferhq/proffer/sdk"
)

// maxShipped is how much may travel inside a task, in bytes, all files together.
const maxShipped = 512 << 10

// shipped makes local files part of the task, as data: URIs (RFC 2397).
func shipped(files []string) ([]sdk.URI, error) {
	var uris []sdk.URI
	total := 0
	named := map[string]string{} // who has a name in the sandbox already
	for _, name := range files {
		base := filepath.Base(name)
		if other, taken := named[base]; taken {
			return nil, usagef("--file %s and --file %s would both be %s in the sandbox; rename one", other, name, base)
		}
		named[base] = name
		info, err := os.Stat(name)
		if err != nil {
			return nil, usageError{err}
		}
		if !info.Mode().IsRegular() {
			return nil, usagef("--file %s: only regular files can be shipped", name)
		}
		if total += int(info.Size()); total > maxShipped {
			return nil, usagef("--file: the files have %d bytes with %s, at most %d can travel inside a task; serve larger ones over HTTP", total, name, maxShipped)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, usageError{err}
		}
		no, program := false, info.Mode()&0o111 != 0
		uris = append(uris, sdk.URI{Value: "data:;base64," + base64.StdEncoding.EncodeToString(data),
			OutputFile: base, Executable: program, Extract: &no})
	}
	return uris, nil
}

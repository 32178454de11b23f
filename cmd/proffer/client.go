package main

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/profferhq/proffer/kernel/up"
)

// client is what every client command needs: where the cluster is, and what proves to it
// who asks.
type client struct {
	io    stdio
	addr  string
	token string
	dir   string
	json  bool

	transport http.RoundTripper // of a test; nil for the network
}

// access finds the masters and the credential: flags, then the environment, then what
// `proffer up` left in its directory.
func (c *client) access() (addrs []string, token string, err error) {
	dir := c.dir
	if dir == "" {
		dir = up.DefaultDir()
	}
	addr, token := firstOf(c.addr, os.Getenv("PROFFER_ADDR")), firstOf(c.token, os.Getenv("PROFFER_TOKEN"))
	local, err := readWord(filepath.Join(dir, "address"))
	if err != nil {
		return nil, "", err
	}
	if addr == "" {
		addr = local
	}
	if file := os.Getenv("PROFFER_TOKEN_FILE"); token == "" && file != "" {
		if token, err = readWord(file); err != nil {
			return nil, "", err
		}
	}
	if token == "" && within(addr, local) { // it is nobody else's business
		if token, err = readWord(filepath.Join(dir, "token")); err != nil {
			return nil, "", err
		}
	}
	return strings.Split(firstOf(addr, "127.0.0.1:5050"), ","), token, nil
}

// within tells whether all addresses of a list are in another.
func within(list, all string) bool {
	known := strings.Split(all, ",")
	for _, a := range strings.Split(list, ",") {
		if !slices.Contains(known, a) {
			return false
		}
	}
	return true
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// readWord is the text of a small file, or nothing when there is no such file.
func readWord(name string) (string, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(data)), err
}

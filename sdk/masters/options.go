package masters

import (
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// Options say which masters to ask, and as whom.
type Options struct {
	// Addrs are the masters, "host:port" or "http://host:port", in order of
	// preference; one that lives is enough.
	Addrs []string
	// Token is sent as Authorization: Bearer; empty for a cluster without
	// credentials (--insecure).
	Token string
	// TokenFile holds the token instead; it is read anew for every request, so
	// that a token can be replaced under a running process.
	TokenFile string
	// Transport carries the requests; nil for one of the client's own.
	Transport http.RoundTripper
}

// FromEnv reads PROFFER_ADDR (comma separated), PROFFER_TOKEN_FILE and
// PROFFER_TOKEN, as a task that may start frameworks finds them.
func FromEnv() Options {
	return Options{
		Addrs:     SplitAddrs(os.Getenv("PROFFER_ADDR")),
		Token:     os.Getenv("PROFFER_TOKEN"),
		TokenFile: os.Getenv("PROFFER_TOKEN_FILE"),
	}
}

// SplitAddrs splits a comma separated list of addresses and drops empty ones.
func SplitAddrs(list string) []string {
	var addrs []string
	for _, a := range strings.Split(list, ",") {
		if a = strings.TrimSpace(a); a != "" {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// baseURL makes an address the URL that paths are resolved against.
func baseURL(addr string) (*url.URL, error) {
	if !strings.Contains(addr, "://") {
		addr = "http://" + addr
	}
	u, err := url.Parse(addr)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, sdk.Errorf(sdk.CodeInvalid, "addr", "%q is not the address of a master: write host:port or http://host:port", addr)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

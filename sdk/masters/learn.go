package masters

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// HeaderMasters is the header in which a master's answer names all masters that it knows,
// itself among them: host:port, with commas between. It stands in answers to requests that
// open a stream or belong to none; not in those to the calls beside a stream, which are many.
const HeaderMasters = "Proffer-Masters"

const (
	// learnEvery is the pause between two questions of KeepLearning. A master takes longer
	// to be replaced by one at another address.
	learnEvery = 5 * time.Minute
	// maxLearned bounds the masters that are learned from one answer.
	maxLearned = 16
)

// Addrs are the addresses at which masters are asked, host:port: those that the client was
// given, then those that masters named lately.
func (c *Client) Addrs() []string {
	var list []string
	for _, base := range c.known() {
		list = append(list, base.Host)
	}
	return list
}

// known are the base URLs of all masters, each once.
func (c *Client) known() []*url.URL {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.Clone(c.bases)
	for _, base := range c.learned {
		if !slices.ContainsFunc(list, func(u *url.URL) bool { return u.Host == base.Host }) {
			list = append(list, base)
		}
	}
	return list
}

// learn takes over which masters an answer names. An answer that names none, or something
// that is no address, changes nothing.
func (c *Client) learn(from *url.URL, resp *http.Response) {
	text := resp.Header.Get(HeaderMasters)
	if text == "" {
		return
	}
	var list []*url.URL
	for addr := range strings.SplitSeq(text, ",") {
		base, err := baseURL(from.Scheme + "://" + addr)
		if err != nil || len(list) == maxLearned {
			return
		}
		list = append(list, base)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.learned = list
}

// KeepLearning asks every five minutes or so which masters there are, until ctx ends. It is
// for who holds one stream for days: meanwhile all masters may be replaced, one by one, by
// others at other addresses.
func (c *Client) KeepLearning(ctx context.Context) {
	for {
		pause := time.NewTimer(learnEvery - rand.N(learnEvery/4)) // not all of them at once
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
		c.whoLeads(ctx, "")
	}
}

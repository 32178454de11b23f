package membership

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// explainer turns memberlist's log lines into ours. A stranger that is refused
// is told as a sentence, once a minute; the rest is detail of a library.
type explainer struct {
	log *slog.Logger
	mu  sync.Mutex
	at  map[string]time.Time // peer -> when it was last told
}

func newExplainer(log *slog.Logger) *explainer {
	return &explainer{log: log, at: map[string]time.Time{}}
}

const (
	tellAgain = time.Minute
	maxPeers  = 1024
)

// Write takes one line.
func (e *explainer) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if why := refusalIn(text); why != "" {
		peer := peerIn(text)
		if e.first(hostOf(peer) + why) {
			e.log.Warn("gossip member refused", "peer", peer, "why", why)
		}
		return len(line), nil
	}
	if level, rest, ok := strings.Cut(text, " memberlist: "); ok && level != "[DEBUG]" {
		e.log.Debug("gossip", "level", level, "detail", rest)
	}
	return len(line), nil
}

func (e *explainer) first(what string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if at, ok := e.at[what]; ok && now.Sub(at) < tellAgain {
		return false
	}
	if len(e.at) >= maxPeers {
		clear(e.at)
	}
	e.at[what] = now
	return true
}

// refusalIn is the sentence for a line about a stranger, else empty.
func refusalIn(text string) string {
	has := func(s string) bool { return strings.Contains(strings.ToLower(text), s) }
	switch {
	case !has("[err]"):
		return ""
	case has("remote state is not encrypted"):
		return "it does not have this cluster's key: it sent in clear text"
	case has("no installed keys could decrypt"):
		return "it does not have this cluster's key: it has another one"
	case has("encryption is not configured"):
		return "it belongs to a cluster with a key, and this member was started without one"
	case has("unacceptable label"):
		return "it belongs to another cluster, or to none"
	}
	return ""
}

func peerIn(text string) string {
	_, after, ok := strings.Cut(text, "from=")
	if !ok {
		return "unknown"
	}
	peer, _, _ := strings.Cut(after, " ")
	return peer
}

// hostOf leaves the port away: a stranger comes from a new one each time.
func hostOf(peer string) string {
	if i := strings.LastIndexByte(peer, ':'); i > 0 {
		return peer[:i]
	}
	return peer
}

const nobodyThere = "nobody listens at the seeds' addresses"

// explainJoin is the sentence for a failed join.
func explainJoin(err error, cluster string) string {
	text := err.Error()
	has := func(s string) bool { return strings.Contains(strings.ToLower(text), s) }
	switch {
	case has("encryption is not configured"):
		return "refused: the cluster has a key and this member was started without it (--key FILE)"
	case has("no installed keys could decrypt"), has("remote state is not encrypted"):
		return "refused: this member's key is not the cluster's (--key FILE)"
	case has("eof"), has("connection reset"):
		return fmt.Sprintf("refused: the seed hung up; most likely its cluster is not called %q", cluster)
	case has("connection refused"):
		return nobodyThere
	}
	return strings.Join(strings.Fields(text), " ")
}

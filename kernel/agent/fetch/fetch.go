package fetch

import (
	"context"
	"time"

	"github.com/profferhq/proffer/kernel/agent/users"
	"github.com/profferhq/proffer/sdk"
)

// Limits bound one task's fetching.
type Limits struct {
	InlineBytes   int64         // all data: URIs of a task together
	DownloadBytes int64         // all downloads of a task together
	UnpackBytes   int64         // all that archives unpack to
	UnpackFiles   int64         // entries that archives may have
	Stall         time.Duration // a download that brings nothing for so long fails
	Redirects     int           // hops per download
}

// DefaultLimits are those of the README's table.
func DefaultLimits() Limits {
	return Limits{
		InlineBytes:   512 << 10,
		DownloadBytes: 16 << 30,
		UnpackBytes:   64 << 30,
		UnpackFiles:   1_000_000,
		Stall:         60 * time.Second,
		Redirects:     10,
	}
}

// Options are the agent's: how it starts the fetcher.
type Options struct {
	Command   []string // program and first arguments of the fetcher's process, such as {"/usr/bin/proffer", "agent-fetch"}
	AllowFile bool     // file: URIs and plain paths are allowed
	Limits    Limits
}

// Task is one task's wish.
type Task struct {
	URIs    []sdk.URI
	Sandbox string // exists, belongs to User, and nothing of the task runs yet
	User    users.Identity
}

// Fetch brings all URIs of the task into its sandbox, in order. Inlined files are
// written directly: nothing of the task runs yet, so nothing can get in the way.
// Everything else is done by a process of its own as the task's user. The error is
// a sentence for the task's status; one that wraps syscall.ENOSPC is a full disk.
func Fetch(ctx context.Context, o Options, t Task) error {
	if len(t.URIs) == 0 {
		return nil
	}
	items, err := plan(t.URIs, o.AllowFile, o.Limits)
	if err != nil {
		return err
	}
	for i := range items {
		if items[i].scheme != "data" || items[i].unpack != "" {
			return inProcess(ctx, o, t)
		}
	}
	return writeInline(items, t)
}

package master

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/profferhq/proffer/kernel/boot"
	"github.com/profferhq/proffer/kernel/consensus"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

const snapshotPath = "/api/v1/snapshot"

// restoreBound is how long a restore may take, beside the time for its bytes.
const restoreBound = time.Minute

// restoring is a saved cluster that waits for this leadership's end.
type restoring struct {
	ctx    context.Context
	backup *consensus.Backup
	done   chan error // gets one
}

// serveSave answers with all that is replicated, as a file.
func (m *Master) serveSave(w http.ResponseWriter, req *http.Request, _ caller) {
	out := newPacedWriter(w, m.opts.WriteTimeout)
	defer out.extend()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	head, err := m.consensus.Save(req.Context(), out)
	switch {
	case err != nil && head.Size == 0 && head.Format == "":
		refuse(w, req, err)
	case err != nil:
		m.opts.Log.Warn("a snapshot was not saved whole", "error", err)
		panic(http.ErrAbortHandler) // what was sent must not look whole
	default:
		m.opts.Log.Info("a snapshot was saved", "cluster_id", head.ClusterID, "index", head.Index)
	}
}

// serveRestore puts a saved cluster in the place of this one, whose leadership ends
// with that: the next leader begins with what was restored.
func (m *Master) serveRestore(w http.ResponseWriter, req *http.Request, who caller) {
	force := req.URL.Query().Get("force") == "true"
	if used := m.used(); used != "" && !force {
		refuse(w, req, sdk.Errorf(sdk.CodeConflict, "", "this cluster is in use, and a restore would replace what it knows: %s; --force does it all the same", used))
		return
	}
	if err := m.consensus.Restorable(); err != nil { // before the leadership ends for it
		refuse(w, req, err)
		return
	}
	body := &pacedBody{ReadCloser: req.Body, rc: newPacedWriter(w, m.opts.WriteTimeout).rc, limit: m.opts.ReadTimeout}
	backup, err := consensus.ReadBackup(body)
	if err != nil {
		refuse(w, req, sdk.Errorf(sdk.CodeInvalid, "", "%v", err))
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), restoreBound)
	defer cancel()
	r := &restoring{ctx: ctx, backup: backup, done: make(chan error, 1)}
	x := newExchange(1)
	l := m.leader()
	if l == nil || !l.inbox.put(item{restores: r, asks: x}) {
		refuse(w, req, notLeading())
		return
	}
	select {
	case <-x.done: // it stopped leading before
		refuse(w, req, x.err)
		return
	case err = <-r.done:
	case <-ctx.Done():
		err = sdk.Errorf(sdk.CodeUnknown, "", "the restore was not finished within %v; proffer status shows what has become of it", restoreBound)
	}
	if err != nil {
		refuse(w, req, err)
		return
	}
	m.opts.Log.Warn("a snapshot was restored", "cluster_id", backup.Head.ClusterID, "saved", backup.Head.Saved, "by", who.Principal)
	empty(w, http.StatusOK)
}

// used says what a cluster has that a restore would take from it; empty for a new one,
// in which only init is at work.
func (m *Master) used() (what string) {
	m.consensus.View(func(s *registry.State) {
		frameworks := 0
		for _, f := range s.Frameworks() {
			if f.Info.ID != s.InitFramework() {
				frameworks++
			}
		}
		if !s.Unused() {
			what = fmt.Sprintf("%d agents and %d frameworks", len(s.Agents()), frameworks)
		}
	})
	if what == "" {
		m.consensus.ViewStore(func(s *store.State) {
			n := s.Stats().Keys
			if _, own := s.Get(store.Space{Principal: boot.Principal, Name: boot.Space}, boot.EpochKey); own {
				n-- // init claims its space before anything is there to launch
			}
			if n > 0 {
				what = fmt.Sprintf("%d keys in the store", n)
			}
		})
	}
	return what
}

package master

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestASecondClusterIsRefused: a master whose disk was lost, and that still is told to make a
// new cluster, makes none where another master of the old one answers.
func TestASecondClusterIsRefused(t *testing.T) {
	first := start(t, true, quick)
	waiting := follower(t, first) // in no cluster yet
	again := func(change func(*Options)) error {
		t.Helper()
		o := LocalOptions(filepath.Join(t.TempDir(), "master"))
		o.Log, o.Insecure, o.KeyFile, o.Join = first.opts.Log, false, first.opts.KeyFile, []string{first.GossipAddr()}
		change(&o)
		m, err := New(o)
		if err == nil {
			err = m.Close()
		}
		return err
	}
	err := again(func(*Options) {})
	for _, want := range []string{"--bootstrap: the master " + first.name, `a cluster called "local" already`, "--raft-join " + first.raftAddr(), "proffer cluster remove"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, change := range map[string]func(*Options){
		"it has one":         func(o *Options) { o.Bootstrap = false },
		"another name":       func(o *Options) { o.Cluster = "other" },
		"nobody there":       func(o *Options) { o.Join = []string{"127.0.0.1:1"} },
		"nobody who answers": func(o *Options) { o.Join = []string{silent.Addr().String()} },
	} {
		began := time.Now()
		if err := again(change); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: after %v", name, time.Since(began)) // with the end of it
	}
	if err := first.consensus.Close(); err != nil {
		t.Fatal(err)
	}
	if err := again(func(o *Options) { o.Join = append(o.Join, waiting.GossipAddr()) }); err != nil {
		t.Errorf("where only one answers that waits for a cluster itself: %v", err)
	}
}

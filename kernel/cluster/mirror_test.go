package cluster

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/profferhq/proffer/kernel/registry"
)

// TestMirrorWhileAMasterIsOlder: what the mind believes of the registry is what is
// replicated, also where consensus writes its commands for an older master.
func TestMirrorWhileAMasterIsOlder(t *testing.T) {
	for oldest := uint32(1); oldest <= registry.CommandVersion; oldest++ {
		t.Run(fmt.Sprint("version ", oldest), func(t *testing.T) {
			w := newWorld()
			w.commit(registry.Command{Type: registry.CommandRaiseGeneration}) // ids are others since version 4
			w.commit(registry.Command{Type: registry.CommandMember, Member: &registry.Member{Name: "older", Command: oldest}})
			w.elect()
			for _, line := range []string{
				"agent a1 cpus:4;mem:1024 nonce=n", // remembered since version 5
				"subscribe f1",
				"agent a2 cpus:4;mem:1024 nonce=m",
				"operator teardown f1",
				"subscribe f2",
			} {
				if err := w.do(line); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				if mirror, replicated := written(t, w.c.reg), written(t, w.reg); !bytes.Equal(mirror, replicated) {
					t.Fatalf("%s: the mirror is\n%q\nand the registry\n%q", line, mirror, replicated)
				}
			}
		})
	}
}

func written(t *testing.T, s *registry.State) []byte {
	t.Helper()
	data, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

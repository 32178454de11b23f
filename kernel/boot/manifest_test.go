package boot_test

import (
	"testing"

	"github.com/profferhq/proffer/kernel/boot"
)

// TestStarts: what the default manifest starts is waited for, be it a framework or an app
// that is one.
func TestStarts(t *testing.T) {
	m, err := boot.DefaultManifest()
	if err != nil {
		t.Fatal(err)
	}
	m.Apps = append(m.Apps, `{"id": "/plain"}`, `{"labels": "none"}`)
	for name, starts := range map[string]bool{"marathonish": true, "chronosish": true, "plain": false, "": false, "nobody": false} {
		if boot.Starts(m, name) != starts {
			t.Errorf("%q is started: %v", name, !starts)
		}
	}
}

package sdktest_test

import (
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/sdk/sdktest"
)

// TestScripts runs the suite on a kernel of its own for each script. The transcripts
// are in the files; -rewrite writes them anew.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		t.Parallel()
		k := sdktest.New(t, sdktest.Options{})
		r := sdktest.NewRunner(t, k.Addr(), k.Token())
		defer r.Close()
		datadriven.RunTest(t, path, func(_ *testing.T, d *datadriven.TestData) string {
			return r.Do(d.FullCmd(), d.Input)
		})
	})
}

// TestRunScriptGivesTheScriptBack is what an end-to-end test does with a real
// cluster.
func TestRunScriptGivesTheScriptBack(t *testing.T) {
	for _, name := range sdktest.Scripts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := sdktest.New(t, sdktest.Options{})
			want := sdktest.Script(name)
			if got := sdktest.RunScript(t, k.Addr(), k.Token(), want); got != want {
				t.Errorf("the transcript differs:\n%s", got)
			}
		})
	}
}

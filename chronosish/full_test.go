package chronosish_test

import (
	"fmt"
	"testing"

	"github.com/profferhq/proffer/chronosish/api"
	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
)

// TestAFullStore: the store itself refuses what is beyond its limit. Runs go on all the
// same, their history stays within it, and what the store has is what is shown, also after
// a restart.
func TestAFullStore(t *testing.T) {
	const limit, jobs, rounds = 60_000, 20, 12
	k := sdktest.New(t, sdktest.Options{
		Agents: []sdktest.Agent{{Resources: "cpus:64;mem:65536"}}, StoreLimit: limit,
		Run: func(sdk.TaskInfo) sdktest.Outcome { return sdktest.Outcome{State: sdk.TaskFinished} },
	})
	r := start(t, k)
	var names []string
	for i := range jobs {
		names = append(names, fmt.Sprint("job", i))
		r.put(&job.Job{Name: names[i], Schedule: "R0//PT1H"})
	}
	for round := range rounds {
		if _, err := r.Change(t.Context(), book.Change{Kind: book.RunNow, Names: names}); err != nil {
			t.Fatal(err)
		}
		r.await(fmt.Sprint("round ", round+1), func() bool {
			ended := 0
			r.Read(func(v api.View) {
				for _, st := range v.Jobs() {
					ended += st.Successes
				}
			})
			return ended == jobs*(round+1)
		})
	}
	lines := func() (n int) {
		for _, name := range names {
			n += len(r.history(name))
		}
		return n
	}
	// Ending what does not run writes nothing: it is answered when all before it is stored.
	if _, err := r.Change(t.Context(), book.Change{Kind: book.Kill, Names: names[:1]}); err != nil {
		t.Fatal(err)
	}
	n := lines()
	if n == 0 || n > jobs*rounds/2 {
		t.Errorf("%d lines of history are left, of %d", n, jobs*rounds)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if r = start(t, k); lines() != n {
		t.Errorf("%d lines of history after a restart, %d before", lines(), n)
	}
}

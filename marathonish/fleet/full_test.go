package fleet

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// brim is a world whose store is filled with apps until it refuses one.
type brim struct {
	*world
	t      *testing.T
	random *rand.Rand
	apps   []app.ID
}

// settle lets time pass, until something is so; what is launched runs after a while. It
// tells whether it has come to that.
func (b *brim) settle(d time.Duration, until func() bool) bool {
	for end := b.now.Add(d); b.now.Before(end); {
		b.advance(time.Duration(1+b.random.Int64N(30e6)) / time.Duration(1+999*b.random.Int64N(3))) // times of all lengths
		for _, task := range b.live() {
			if task.state == sdk.TaskStaging && b.random.IntN(3) == 0 {
				b.becomes(task, sdk.TaskRunning, nil, "")
			}
		}
		b.run()
		if until != nil && until() {
			return true
		}
	}
	return until == nil
}

func (b *brim) create(id app.ID, instances int) int {
	a := definition(id, instances)
	a.BackoffSeconds, a.CPUs = 0, 0.01
	request := b.change(Change{Kind: Put, Apps: []*app.App{a}})
	b.run()
	reply, answered := b.replies[request]
	switch refusal, _ := reply.Refusal.(*app.Refusal); {
	case !answered:
		b.t.Fatalf("%s: no answer", id)
	case refusal != nil:
		return refusal.Status
	}
	b.apps = append(b.apps, id)
	b.settle(300*time.Millisecond, nil)
	return http.StatusCreated
}

func (b *brim) of(id app.ID) (list []*task) {
	for _, task := range b.live() {
		if record := b.f.units[task.info.TaskID]; record != nil && record.rec.App == id {
			list = append(list, task)
		}
	}
	return list
}

// In a full store, however full to the byte, whatever ends comes back, also when that is
// heard only after a restart, and nothing that waits to grow takes its room.
func TestAFullStoreKeepsWhatRuns(t *testing.T) {
	seeds := uint64(60)
	if os.Getenv("PROFFER_SOAK") != "" {
		seeds = 20000
	}
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 1))
		b := &brim{t: t, random: random}
		b.world = newWorld(t.Fatalf, 1+random.IntN(2))
		b.limit = 8000 + random.IntN(2000)
		b.create("/keep", 3)
		for n := 0; b.create(app.ID(fmt.Sprintf("/more%d", n)), 1) == http.StatusCreated; n++ {
		}
		for round := range 3 {
			for _, id := range append(slices.Clone(b.apps[1:]), "/keep", "/keep") {
				had := b.of(id)
				if len(had) == 0 {
					continue // its first instance waits for room
				}
				old := had[len(had)-1]
				b.becomes(old, sdk.TaskFailed, nil, "killed")
				if round == 2 { // which it hears only after a restart
					b.boot()
				}
				if !b.settle(15*time.Second, func() bool { now := b.of(id); return len(now) == len(had) && !slices.Contains(now, old) }) {
					t.Fatalf("seed %d, limit %d, round %d, of %d apps: %s has %d instances of %d; the queue: %+v", seed, b.limit, round, len(b.apps), id, len(b.of(id)), len(had), b.f.Queue())
				}
			}
		}
	}
}

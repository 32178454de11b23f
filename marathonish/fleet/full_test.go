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
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// brim is a world whose store is filled with apps until it refuses one.
type brim struct {
	*world
	t      *testing.T
	random *rand.Rand
}

func newBrim(t *testing.T, seed uint64) *brim {
	random := rand.New(rand.NewPCG(seed, 1))
	b := &brim{t: t, random: random}
	b.world = newWorld(func(format string, args ...any) {
		t.Helper()
		t.Fatalf("seed %d: "+format, append([]any{seed}, args...)...)
	}, 1+random.IntN(2))
	b.limit = 8000 + random.IntN(2000)
	for i, n := range random.Perm(26) {
		instances := 1
		switch {
		case i == 0:
			instances = 3
		case random.IntN(4) == 0:
			instances = 1 + random.IntN(5)
		}
		if b.create(app.ID(fmt.Sprintf("/%c", 'a'+n)), instances) != http.StatusCreated {
			break
		}
	}
	return b
}

func (b *brim) create(id app.ID, instances int) int {
	a := definition(id, instances)
	a.BackoffSeconds, a.CPUs = b.random.IntN(2), 0.01
	request := b.change(Change{Kind: Put, Apps: []*app.App{a}})
	b.run()
	reply, answered := b.replies[request]
	switch refusal, _ := reply.Refusal.(*app.Refusal); {
	case !answered:
		b.fail("%s: no answer", id)
	case refusal != nil:
		return refusal.Status
	}
	b.pass(300 * time.Millisecond)
	return http.StatusCreated
}

// pass lets time pass in which only what is due happens, and what is launched runs.
func (b *brim) pass(d time.Duration) {
	for end, round := b.now.Add(d), 0; ; round++ {
		b.run()
		for _, task := range b.live() {
			if task.state == sdk.TaskStaging && b.random.IntN(3) == 0 {
				b.becomes(task, sdk.TaskRunning, nil, "")
			}
		}
		b.run()
		due, ok := b.f.Due()
		if !ok {
			due = end.Add(1)
		}
		staging := slices.ContainsFunc(b.live(), func(task *task) bool { return task.state == sdk.TaskStaging })
		if later := b.now.Add(time.Duration(1+b.random.Int64N(30e6)) / time.Duration(1+999*b.random.Int64N(3))); staging && due.After(later) { // times of all lengths
			due, ok = later, false
		}
		if due.After(end) {
			b.now = end
			return
		}
		if due.After(b.now) {
			b.now = due
		}
		if ok {
			b.step(mind.Tick{})
		}
		if round == 100000 {
			b.fail("something is due again and again at %v", b.now)
		}
	}
}

// running is how many instances each app has.
func (b *brim) running() map[app.ID]int {
	n := map[app.ID]int{}
	for _, task := range b.live() {
		if u := b.f.units[task.info.TaskID]; u != nil && !u.ended {
			n[u.rec.App]++
		}
	}
	return n
}

// strike has something happen.
func (b *brim) strike() {
	switch b.random.IntN(8) {
	case 0:
		if b.f.burying+b.f.owing == 0 { // what is owed is not stored, and that the store is full is to be seen anew
			b.hold = false
			b.boot()
			b.pass(10 * time.Second)
		}
	case 1:
		b.step(mind.Disconnected{})
		b.forgetOffers()
		b.subscribe()
	case 2:
		b.hold = true
	case 3:
		b.release()
	default:
		if live := b.live(); len(live) > 0 {
			b.becomes(live[b.random.IntN(len(live))], sdk.TaskFailed, nil, "killed")
		}
	}
}

// In a full store, however full to the byte and whatever happens at once, what ends comes
// back, and nothing that waits to grow takes its room.
func TestAFullStoreKeepsWhatRuns(t *testing.T) {
	seeds, short := uint64(150), 0
	if os.Getenv("PROFFER_SOAK") != "" {
		seeds = 20000
	}
	for seed := range seeds {
		b := newBrim(t, seed)
		b.pass(10 * time.Second)
		if len(b.f.wanting) > 0 {
			short++
		}
		before := b.running()
		for range 1 + b.random.IntN(12) {
			b.strike()
			if b.random.IntN(2) == 0 {
				b.pass(time.Duration(b.random.Int64N(50e6)))
			}
		}
		b.release()
		b.resend()
		b.pass(5 * time.Minute)
		for id, n := range before {
			if now := b.running()[id]; now < n {
				t.Fatalf("seed %d, limit %d: %s has %d instances of %d; before %v, now %v", seed, b.limit, id, now, n, before, b.running())
			}
		}
	}
	if uint64(short) < seeds/10 {
		t.Errorf("only in %d of %d worlds something waited to grow", short, seeds)
	}
}

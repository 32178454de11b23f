package slots

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// flaw is what is wrong with a scheduler of the tests.
type flaw struct {
	name  string
	spoil func(*scheduler)
	want  Verdict
}

// scheduler is a simulated one: it does all that is right, but for its flaw.
type scheduler struct {
	random *rand.Rand
	lines  []Line
	past   []Record

	skip, double     float64 // share of slots that are forgotten, or run twice
	drift            int64   // ms by which each slot moves the next
	early            int64   // ms by which a run begins too soon
	late             int64
	outage           int64 // slots for which nobody is there, without a record
	amnesia          bool  // a running attempt is launched again after the outage
	orphans, deaf    float64
	hasty            float64 // share of children that do not wait for their parent's end
	retries, fails   int     // most of a slot; one of so many attempts fails
	delay            int64
	undead, zombies  float64
	unended, phantom float64
	untold           float64
	overlaps         bool
	twoChildren      float64
	skipAndRun       float64
}

func (s *scheduler) roll(share float64) bool { return share > 0 && s.random.Float64() < share }

func (s *scheduler) write(p Phase, at int64, job string, nominal int64, n int, parents ...string) string {
	task := fmt.Sprintf("ct:%d:%d:%s:x", nominal, n, job)
	s.lines = append(s.lines, Line{p, at, job, nominal, n, task, parents})
	return task
}

func (s *scheduler) end(at int64, job string, nominal int64, n int, outcome string) {
	s.past = append(s.past, Record{Job: job, Nominal: nominal, Attempt: n, Task: fmt.Sprintf("ct:%d:%d:%s:x", nominal, n, job), Outcome: outcome, At: at})
}

func theJobs() []Job {
	return []Job{
		{Name: "second", Start: 10_000, Period: 1000, Window: 60_000, Retries: 2, RetryDelay: 1000, Fails: true},
		{Name: "third", Start: 10_000, Period: 3000, Count: 150, Window: 60_000, Retries: 2, RetryDelay: 1000, Fails: true},
		{Name: "child", Parent: "third", Retries: 2, RetryDelay: 1000},
	}
}

const lastSlot = 10_000 + 600*1000

// run runs all slots, with chance failures and a late slot now and then.
func (s *scheduler) run() {
	for _, job := range theJobs()[:2] {
		free := int64(0) // when the run before has ended
		for k, at := int64(0), job.Start; at <= lastSlot && (job.Count == 0 || k < job.Count); k, at = k+1, at+job.Period+s.drift {
			switch {
			case s.roll(s.skip), s.outage > 0 && k > 50 && k <= 50+s.outage:
				continue
			case s.random.IntN(100) == 0:
				s.past = append(s.past, Record{Job: job.Name, Nominal: at, Last: at, Outcome: skipped, Reason: "starved", At: at + 60_000})
				if !s.roll(s.skipAndRun) {
					continue
				}
			}
			begin := max(at+s.random.Int64N(100), free+20)
			if s.roll(0.05) && s.early != 0 {
				begin = at - s.early
			}
			if s.roll(0.05) && s.late != 0 {
				begin = at + s.late
			}
			if s.overlaps {
				begin = at
			}
			free = s.slot(job.Name, at, begin)
			if s.amnesia && k%100 == 50 {
				s.write(Begin, begin+5, job.Name, at, 1)
				s.write(End, begin+500, job.Name, at, 1)
			}
		}
	}
}

// slot runs one slot from begin on, and tells when it has ended.
func (s *scheduler) slot(job string, at, begin int64) (free int64) {
	n := 0
	for ; s.retries > n && s.random.IntN(s.fails) == 0; n++ { // it fails
		s.write(Begin, begin, job, at, n)
		s.end(begin+5, job, at, n, "FAILED")
		begin += s.delay
	}
	if s.roll(s.undead) {
		s.end(begin-1, job, at, n, never)
	} else if s.random.IntN(30) == 0 {
		s.end(begin-1, job, at, n, never)
		n++
	}
	length := int64(300)
	if s.overlaps {
		length = 3500
	}
	task := s.write(Begin, begin, job, at, n)
	if s.roll(s.double) {
		s.write(Begin, begin+10, job, at, n)
	}
	if s.roll(s.unended) {
		s.end(begin+length, job, at, n, "LOST")
		return begin + length
	}
	if s.roll(s.phantom) {
		s.lines = s.lines[:len(s.lines)-1]
	} else {
		s.write(End, begin+length, job, at, n)
	}
	outcome := succeeded
	if s.roll(s.untold) {
		outcome = "FAILED"
	}
	s.end(begin+length+5, job, at, n, outcome)
	if s.roll(s.zombies) {
		s.write(Begin, begin+length+10, job, at, n+1)
		s.end(begin+length+8, job, at, n+1, "LOST")
	}
	if job == "third" {
		s.child(task, begin, begin+length)
	}
	return begin + length + 5
}

func (s *scheduler) child(parent string, begin, end int64) {
	if s.roll(s.deaf) {
		return
	}
	at := end + 7
	if s.roll(s.hasty) {
		at = begin + 100
	}
	if s.roll(s.orphans) {
		parent = "ct:1:0:third:x"
	}
	s.write(Begin, at+30, "child", at, 0, parent)
	s.write(End, at+130, "child", at, 0, parent)
	s.end(at+140, "child", at, 0, succeeded)
	if s.roll(s.twoChildren) {
		s.write(Begin, at+330, "child", at+300, 0, parent)
		s.write(End, at+430, "child", at+300, 0, parent)
		s.end(at+440, "child", at+300, 0, succeeded)
	}
}

func newScheduler(seed uint64) *scheduler {
	return &scheduler{random: rand.New(rand.NewPCG(seed, 7)), retries: 2, fails: 20, delay: 1000}
}

func (s *scheduler) judged() Report {
	s.run()
	return Judge(theJobs(), s.lines, s.past, lastSlot)
}

func TestASoundSchedulerIsFoundSound(t *testing.T) {
	skipped, retried := 0, 0 // of all seeds: one in 400 skips none
	rapid.Check(t, func(t *rapid.T) {
		r := newScheduler(rapid.Uint64().Draw(t, "seed")).judged()
		for _, f := range r.Findings {
			t.Errorf("%v", f)
		}
		n := r.Tallies["second"]
		if n.Slots != 601 || n.Ran+n.Skipped != n.Slots {
			t.Errorf("%+v", n)
		}
		skipped, retried = skipped+n.Skipped, retried+n.Retries
		if n := r.Tallies["third"]; n.Slots != 150 || r.Tallies["child"].Ran != n.Ran {
			t.Errorf("%+v", n)
		}
	})
	if skipped == 0 || retried == 0 {
		t.Errorf("%d slots were skipped, and %d attempts were retries", skipped, retried)
	}
}

// TestBrokenSchedulersAreCaught: each flaw is found under its name, whatever the seed.
func TestBrokenSchedulersAreCaught(t *testing.T) {
	flaws := []flaw{
		{"skips one slot of a hundred", func(s *scheduler) { s.skip = 0.02 }, Missed},
		{"runs one of a hundred twice", func(s *scheduler) { s.double = 0.02 }, Duplicate},
		{"drifts by two seconds", func(s *scheduler) { s.drift = 2000 }, Missed},
		{"drifts off the grid", func(s *scheduler) { s.drift = 2 }, Count},
		{"is two seconds early", func(s *scheduler) { s.early = 2000 }, Early},
		{"runs what is too late", func(s *scheduler) { s.late = 70_000 }, Late},
		{"forgets slots after a failover", func(s *scheduler) { s.outage = 5 }, Missed},
		{"forgets a running attempt after a failover", func(s *scheduler) { s.amnesia = true }, Duplicate},
		{"forgets a parent's success", func(s *scheduler) { s.deaf = 0.05 }, LostChild},
		{"runs a child without a parent", func(s *scheduler) { s.orphans = 0.05 }, Order},
		{"runs a child before its parent's end", func(s *scheduler) { s.hasty = 0.05 }, Order},
		{"runs a child twice", func(s *scheduler) { s.twoChildren = 0.05 }, Duplicate},
		{"retries for ever", func(s *scheduler) { s.retries, s.fails = 4, 3 }, RetryBudget},
		{"retries at once", func(s *scheduler) { s.delay = 10 }, RetryBudget},
		{"launches what it has given up", func(s *scheduler) { s.undead = 0.05 }, Resurrected},
		{"ends what then begins", func(s *scheduler) { s.zombies = 0.05 }, Resurrected},
		{"kills runs", func(s *scheduler) { s.unended = 0.05 }, Broken},
		{"makes successes up", func(s *scheduler) { s.phantom = 0.05 }, Phantom},
		{"loses exit statuses", func(s *scheduler) { s.untold = 0.05 }, Untold},
		{"runs jobs over each other", func(s *scheduler) { s.overlaps = true }, Duplicate},
		{"skips what has run", func(s *scheduler) { s.skipAndRun = 1 }, Duplicate},
	}
	for _, f := range flaws {
		t.Run(f.name, func(t *testing.T) {
			for seed := range uint64(20) {
				s := newScheduler(seed)
				f.spoil(s)
				if r := s.judged(); r.Has(f.want) == 0 {
					t.Errorf("seed %d: no %s among %d findings\n%v", seed, f.want, len(r.Findings), &r)
				}
			}
		})
	}
}

func TestParse(t *testing.T) {
	text := "begin 1767225605012 child 1767225605000 1 ct:1767225605000:1:child:a.parents ct:1767225604000:0:third:b\nend 1767225605112 second 1767225605000 0 ct:1767225605000:0:second:c\n"
	lines, err := Parse(text)
	if err != nil || len(lines) != 2 || lines[0].Phase != Begin || lines[0].At != 1767225605012 || lines[0].Attempt != 1 || lines[0].Parents[0] != "ct:1767225604000:0:third:b" ||
		lines[1].Phase != End || lines[1].Job != "second" || lines[1].Nominal != 1767225605000 || len(lines[1].Parents) != 0 {
		t.Errorf("%+v %v", lines, err)
	}
	for _, torn := range []string{"begin 1 second 2 0", "begun 1 second 2 0 t", "end x second 2 0 t", "end 1 second 2 0 t\nbeg"} {
		if _, err := Parse(torn); err == nil {
			t.Errorf("%q is read", torn)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("begin 1 second 2 0 t p\nend 2 second 2 0 t")
	f.Fuzz(func(_ *testing.T, text string) {
		if lines, err := Parse(text); err == nil {
			Judge(theJobs(), lines, nil, lastSlot)
		}
	})
}

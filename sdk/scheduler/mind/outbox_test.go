package mind_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

func put(key, value string) sdk.StoreOp {
	return sdk.StoreOp{Type: sdk.StorePut, Key: key, Value: []byte(value)}
}

// storing is an outbox with a store that has no room at times, and what is known of its
// postings, by number. Their keys are "number/…"; every third is about the same.
type storing struct {
	t        *rapid.T
	o        mind.Outbox
	now      time.Time
	txn      uint64
	posted   int
	onItsWay []int
	decided  map[int]bool      // it may not be given up
	fate     map[int]string    // of what has come to an end
	suspect  map[int]bool      // refused together with others
	after    map[int]time.Time // not before
	sequence []int             // in the order in which they were done
}

func number(key string) int {
	var n int
	_, _ = fmt.Sscanf(key, "%d/", &n)
	return n
}

func (s *storing) post() {
	n := s.posted
	s.posted++
	p := &mind.Posting{Lazy: rapid.Bool().Draw(s.t, "lazy"), Done: func() {
		if s.fate[n] != "" {
			s.t.Fatalf("%d is done, and was %s", n, s.fate[n])
		}
		s.fate[n] = "done"
		s.sequence = append(s.sequence, n)
	}}
	if s.decided[n] = rapid.Bool().Draw(s.t, "decided"); !s.decided[n] {
		p.Failed = func(*sdk.Error) { s.fate[n] = "failed" }
	}
	for i := range rapid.IntRange(1, 3).Draw(s.t, "n") {
		p.Writes = append(p.Writes, put(fmt.Sprintf("%d/%d", n, i), "0123456789"))
	}
	s.o.Post(s.now, p)
}

// flush ends a step. What is sent is within the bounds, none before its time, and none of
// several that were refused with others.
func (s *storing) flush() (sent bool) {
	c, ok := s.o.Flush(s.now)
	if due := s.o.Due(); !due.IsZero() && !due.After(s.now) {
		s.t.Fatalf("due at %v after a flush, now %v", due, s.now)
	}
	if !ok {
		return false
	}
	if len(s.onItsWay) > 0 || c.Txn != s.txn+1 {
		s.t.Fatalf("transaction %d after %d, with %v on its way", c.Txn, s.txn, s.onItsWay)
	}
	size := 0
	for _, w := range c.Writes {
		size += len(w.Key) + len(w.Value) + 32
		if n := number(w.Key); !slices.Contains(s.onItsWay, n) {
			s.onItsWay = append(s.onItsWay, n)
		}
	}
	if len(s.onItsWay) > 1 && (size > s.o.MaxTxn || len(c.Writes) > s.o.MaxWrites) {
		s.t.Fatalf("%d writes of %d bytes, gathered from %v", len(c.Writes), size, s.onItsWay)
	}
	for _, n := range s.onItsWay {
		if s.after[n].After(s.now) || len(s.onItsWay) > 1 && s.suspect[n] {
			s.t.Fatalf("%v are sent, %d not before %v, after a refusal of %v", s.onItsWay, n, s.after[n], s.suspect)
		}
	}
	s.txn = c.Txn
	s.o.Persisted(s.txn - 1) // is not the answer
	return true
}

// answer is what the store says to the transaction.
func (s *storing) answer(full bool) {
	sent := s.onItsWay
	s.onItsWay = nil
	if !full {
		s.o.Persisted(s.txn)
		for _, n := range sent {
			if s.fate[n] != "done" {
				s.t.Fatalf("%d of %v is %q", n, sent, s.fate[n])
			}
		}
		return
	}
	waits := s.o.Refused(s.now, mind.Refused{Txn: s.txn, Err: &sdk.Error{Code: sdk.CodeExhausted}})
	alone, first := len(sent) == 1, sent[0]
	if waits != (alone && s.decided[first] && s.o.FullPause > 0) {
		s.t.Fatalf("%v wait: %v", sent, waits)
	}
	for _, n := range sent {
		s.suspect[n] = s.suspect[n] || !alone
		if gone := s.fate[n] == "failed"; gone != (alone && !s.decided[n]) {
			s.t.Fatalf("%d of %v, decided: %v, was given up: %v", n, sent, s.decided[n], gone)
		}
	}
	switch {
	case waits:
		s.after[first] = s.now.Add(s.o.FullPause)
	case alone && s.decided[first]:
		s.fate[first] = "dropped"
	}
}

// TestOutbox: one transaction at a time, in order, whole, within the bounds; every posting
// is done or given up once, the latter only where it says so and when it was alone; what
// may not be given up waits for its pause, and holds up what is about the same.
func TestOutbox(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &storing{
			t: t, now: time.Unix(1e9, 0), decided: map[int]bool{}, fate: map[int]string{}, suspect: map[int]bool{}, after: map[int]time.Time{},
			o: mind.Outbox{MaxTxn: rapid.IntRange(60, 400).Draw(t, "bytes"), MaxWrites: rapid.IntRange(1, 6).Draw(t, "writes")},
		}
		if rapid.Bool().Draw(t, "patient") {
			s.o.FullPause = time.Second
		}
		subjects := 1
		if rapid.Bool().Draw(t, "subjects") {
			subjects = 3
			s.o.Subject = func(key string) string { return fmt.Sprint(number(key) % subjects) }
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch what := rapid.IntRange(0, 4).Draw(t, "what"); {
			case what < 2:
				s.post()
				s.flush()
			case what < 4 && len(s.onItsWay) > 0:
				s.answer(rapid.IntRange(0, 2).Draw(t, "full") == 0)
				s.flush()
			default:
				due := s.o.Due()
				s.now = s.now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "ms")) * time.Millisecond)
				if sent := s.flush(); sent != (!due.IsZero() && !due.After(s.now)) {
					t.Fatalf("due at %v, now %v, sent: %v", due, s.now, sent)
				}
			}
		}
		for range 10 * (s.posted + 1) { // room at last
			if len(s.onItsWay) > 0 {
				s.answer(false)
			} else {
				s.now = s.now.Add(time.Second)
			}
			s.flush()
		}
		last := map[int]int{}
		for _, n := range s.sequence {
			if before, ok := last[n%subjects]; ok && before > n {
				t.Fatalf("done in the order %v", s.sequence)
			}
			last[n%subjects] = n
		}
		if len(s.fate) != s.posted || !s.o.Quiet() || s.o.Waiting() > 0 {
			t.Fatalf("%d were posted: %v", s.posted, s.fate)
		}
	})
}

// TestOutboxMakesRoom: what makes room goes first and alone, and then what was refused
// goes together again.
func TestOutboxMakesRoom(t *testing.T) {
	o, now := mind.Outbox{MaxTxn: 1000, MaxWrites: 10}, time.Unix(1e9, 0)
	o.Post(now, &mind.Posting{Writes: []sdk.StoreOp{put("a", "")}})
	o.Post(now, &mind.Posting{Writes: []sdk.StoreOp{put("b", "")}})
	c, _ := o.Flush(now)
	o.Post(now, &mind.Posting{Writes: []sdk.StoreOp{put("c", "")}})
	o.PutBack(append([]*mind.Posting{{Alone: true, Writes: []sdk.StoreOp{{Type: sdk.StoreDelete, Key: "old"}}}}, o.Answered(c.Txn)...)...)
	for _, want := range [][]string{{"old"}, {"a", "b", "c"}} {
		c, _ := o.Flush(now)
		var got []string
		for _, w := range c.Writes {
			got = append(got, w.Key)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		o.Persisted(c.Txn)
	}
}

// TestLazy: lazy writes go with the next transaction, or by themselves after their pause.
func TestLazy(t *testing.T) {
	o, now := mind.Outbox{MaxTxn: 1000, MaxWrites: 10}, time.Unix(1e9, 0)
	lazy := func() { o.Post(now, &mind.Posting{Lazy: true, Writes: []sdk.StoreOp{put("a", "")}}) }
	lazy()
	if c, ok := o.Flush(now); ok || !o.Quiet() || !o.Due().Equal(now.Add(mind.LazyPause)) {
		t.Errorf("flushed: %v %v, due at %v", ok, c, o.Due())
	}
	now = now.Add(mind.LazyPause)
	c, ok := o.Flush(now)
	if !ok || o.Quiet() {
		t.Error("not sent after its pause")
	}
	o.Persisted(c.Txn)
	lazy()
	o.Post(now, &mind.Posting{Writes: []sdk.StoreOp{put("b", "")}})
	if c, _ := o.Flush(now); len(c.Writes) != 2 {
		t.Errorf("not sent together: %v", c)
	}
}

// TestAlarms holds alarms against a map that is searched.
func TestAlarms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a mind.Alarms[string]
		slow, now := map[string]time.Time{}, time.Unix(1e9, 0)
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "wake") {
				key, at := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "key"), now.Add(time.Duration(rapid.IntRange(-2, 9).Draw(t, "in")))
				if old, ok := slow[key]; !ok || at.Before(old) {
					slow[key] = at
				}
				a.Wake(key, at)
			} else {
				now = now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "pass")))
				got, want := a.Due(now), []string(nil)
				for key, at := range slow {
					if !at.After(now) {
						want = append(want, key)
						delete(slow, key)
					}
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Fatalf("due: %v, want %v", got, want)
				}
			}
			var next time.Time
			for _, at := range slow {
				if next.IsZero() || at.Before(next) {
					next = at
				}
			}
			if !a.Next().Equal(next) {
				t.Fatalf("next: %v, want %v", a.Next(), next)
			}
		}
		a.Wake("never", time.Time{})
	})
}

// What there is no room to spare for when its turn comes is left out, whatever else is sent.
func TestSpare(t *testing.T) {
	now, tight := time.Unix(1, 0), false
	var o mind.Outbox
	o.MaxTxn, o.MaxWrites = 1000, 10
	post := func(key string, spare func() bool) {
		o.Post(now, &mind.Posting{Writes: []sdk.StoreOp{put(key, "v")}, Spare: spare})
	}
	whenTight := func() bool { return tight }
	sent := func() (keys []string) {
		c, ok := o.Flush(now)
		for _, w := range c.Writes {
			keys = append(keys, w.Key)
		}
		if ok != (len(keys) > 0) {
			t.Errorf("a transaction of %v: %v", keys, ok)
		}
		if ok {
			o.Persisted(c.Txn)
		}
		return keys
	}
	for _, step := range []struct {
		tight bool
		want  []string
	}{{false, []string{"a", "b"}}, {true, []string{"b"}}} {
		tight = step.tight
		post("a", whenTight)
		post("b", nil)
		if keys := sent(); !slices.Equal(keys, step.want) {
			t.Errorf("tight %v: %v was sent", tight, keys)
		}
	}
	post("a", whenTight)
	if keys := sent(); keys != nil || !o.Quiet() || !o.Due().IsZero() {
		t.Errorf("%v was sent; at %v there is something to do", keys, o.Due())
	}
}

package api

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/chronosish/schedule"
)

// TestWhatWasShownGoesOn: at whatever time a client has read a schedule, sending it back
// leaves the job with its anchor and all that it has handled; and a schedule that was
// never shown replaces it.
func TestWhatWasShownGoesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
		count := rapid.IntRange(1, 8).Draw(t, "repetitions")
		old := &job.Job{Name: "a", Zone: pick("zone", "", "Europe/Berlin", "America/New_York", "PST"), Version: 1, Created: time.Date(2026, 1, 31, 2, 30, 0, 125e6, time.UTC),
			Schedule: fmt.Sprintf("R%d/%s/%s", count, pick("start", "", "2026-01-31T02:30:00Z", "2026-03-28T02:30:00+01:00", "2026-10-24"), pick("period", "PT2S", "P1M", "P1D", "PT90M", "P1M1D"))}
		s, err := schedule.Parse(old.Schedule, old.Zone, old.Created)
		if err != nil {
			t.Fatal(err)
		}
		slots := s.Slots(time.Time{}, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), count)
		status := func(handled int) book.Status {
			st := book.Status{Job: old, Exhausted: handled == len(slots)}
			if handled > 0 {
				st.Handled = slots[handled-1]
			}
			return st
		}
		read := rapid.IntRange(0, len(slots)).Draw(t, "slots handled when it was read")
		now := status(rapid.IntRange(read, len(slots)).Draw(t, "slots handled when it is sent"))
		seen := shown(status(read), nil)
		if want := fmt.Sprintf("R%d/", count-read); !strings.HasPrefix(*seen.Schedule, want) {
			t.Fatalf("%s is shown as %s after %d", old.Schedule, *seen.Schedule, read)
		}
		if read < len(slots) {
			next, err := schedule.Parse(*seen.Schedule, old.Zone, old.Created.Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if first, _, _ := next.Next(time.Time{}); !first.Equal(slots[read]) {
				t.Fatalf("%s is shown as %s, which starts at %v and not at %v", old.Schedule, *seen.Schedule, first, slots[read])
			}
		}
		sent := &job.Job{Name: "a", Zone: old.Zone, Created: old.Created.Add(time.Hour), Schedule: *seen.Schedule, Disabled: seen.Disabled}
		if keep(sent, now); !sent.Same(old) && !(seen.Disabled && !now.Exhausted) || !sent.Continues(old) {
			t.Fatalf("%s, read as %s, became %+v", old.Schedule, *seen.Schedule, sent)
		}
		other := &job.Job{Name: "a", Zone: old.Zone, Created: old.Created.Add(time.Hour), Schedule: strings.Replace(*seen.Schedule, "/P", "/P1W", 1)}
		if was := other.Schedule; was != *seen.Schedule {
			if keep(other, now); other.Schedule != was {
				t.Fatalf("%s was taken for %s", was, old.Schedule)
			}
		}
	})
}

// crowd is a backend with so many jobs, of which each has run.
func crowd(jobs int) *fake {
	f := newFake()
	for n := range jobs {
		j, err := job.Parse(fmt.Appendf(nil, `{"name":"job-%05d","command":"run","schedule":"R/2026-01-01T00:00:00Z/PT1H","scheduleTimeZone":"Europe/Berlin","environmentVariables":[{"name":"A","value":"1"}]}`, n), job.Scheduled, f.now)
		if err != nil {
			panic(err)
		}
		if _, err := f.Change(context.Background(), book.Change{Kind: book.Put, Jobs: []*job.Job{j}}); err != nil {
			panic(err)
		}
		f.ran(j.Name, -time.Hour, time.Second, time.Minute, "SUCCEEDED", 0)
	}
	return f
}

// TestTenThousandJobsAreListed: in one answer. How long it takes is the benchmark's to say.
func TestTenThousandJobsAreListed(t *testing.T) {
	w := httptest.NewRecorder()
	crowd(10_000).handler(true).ServeHTTP(w, httptest.NewRequest("GET", "/v1/scheduler/jobs", nil))
	if w.Code != 200 || strings.Count(w.Body.String(), `"name":"job-`) != 10_000 {
		t.Fatalf("%d, %d bytes", w.Code, w.Body.Len())
	}
}

func BenchmarkTenThousandJobs(b *testing.B) {
	h := crowd(10_000).handler(true)
	for _, path := range []string{"jobs", "jobs/search?name=job-09999", "jobs/summary", "stats/mean", "graph/dot"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v1/scheduler/"+path, nil))
			}
		})
	}
}

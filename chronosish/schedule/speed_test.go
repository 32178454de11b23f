package schedule

import (
	"testing"
	"time"
)

// BenchmarkNext: the first slot after a time years behind the anchor.
func BenchmarkNext(b *testing.B) {
	for _, c := range []struct{ name, text, zone string }{
		{"ExactInterval", "R/2012-01-01T00:00:01Z/PT1M", ""},
		{"Daily", "R/2012-01-01T02:30:00/P1D", berlin},
		{"Monthly", "R/2012-01-31T02:30:00/P1M", berlin},
		{"CronMinutely", "* * * * *", "UTC"},
		{"CronDaily", "30 2 * * *", berlin},
		{"CronLeapDay", "0 0 29 2 *", berlin},
		{"CronLeapDayAround2100", "0 0 29 2 *", ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := mustParse(b, c.text, c.zone)
			at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
			if c.name == "CronLeapDayAround2100" {
				at = at.AddDate(70, 0, 0)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, ok := s.Next(at); !ok {
					b.Fatal("there is a next slot")
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, text, zone string }{
		{"Interval", "R/2012-01-01T00:00:01Z/PT1M", ""},
		{"IntervalInZone", "R/2012-01-01T00:00:01Z/PT1M", berlin},
		{"Cron", "*/5 1-5 * * MON-FRI", ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustParse(b, c.text, c.zone)
			}
		})
	}
}

package chronosish

import (
	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/sdk/scheduler"
)

// prefix begins the names of chronosish's numbers. No label names a job or an attempt:
// there is no end of those.
const prefix = "proffer_chronosish_"

func gauges() []scheduler.Gauge[*book.Book] {
	return []scheduler.Gauge[*book.Book]{
		{Name: "jobs", Help: "Jobs that there are.", Read: func(b *book.Book) int { return b.Counts().Jobs }},
		{Name: "attempts", Help: "Attempts that have not ended.", Read: func(b *book.Book) int { return b.Counts().Attempts }},
		{Name: "waiting", Help: "Runs that wait for their next attempt.", Read: func(b *book.Book) int { return b.Counts().Waiting }},
		{Name: "history_records", Help: "Records of the history.", Read: func(b *book.Book) int { return b.Counts().History }},
		{Name: "history_bytes", Help: "Their room in the store.", Read: func(b *book.Book) int { return b.Counts().HistoryBytes }},
	}
}

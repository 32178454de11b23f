package api

import (
	"context"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/sdk"
)

// Backend is what the API needs of the chronosish behind it. Its methods may be called
// by any number of goroutines at once.
type Backend interface {
	// Read calls do while the book does not change. do is short and does not keep the
	// view; what its methods return is kept.
	Read(do func(View))
	// Change does what is asked, and returns when it is stored. The error is a
	// *job.Refusal to be shown as it is, an *sdk.Error, or that of the context. A Put that
	// leaves everything as it was has an Outcome without Change.
	Change(ctx context.Context, c book.Change) (book.Outcome, error)
	// Output reads the end of what an attempt has written: at most so many bytes, and the
	// offset at which they begin. The error is an *sdk.Error, or that of the context.
	Output(ctx context.Context, agent sdk.AgentID, task sdk.TaskID, stream string, bytes int) (text []byte, from int64, err error)
	// Info is who this chronosish is.
	Info() Info
}

// View is what the API reads of a book; *book.Book is one.
type View interface {
	Jobs() []book.Status // sorted by name
	Job(name string) (book.Status, bool)
	// History is what is known of the job's past, newest first; at most limit records,
	// all with 0.
	History(name string, limit int) []book.Record
}

// Info is who a chronosish is.
type Info struct {
	Software    string // Proffer's version
	FrameworkID string
	Elected     bool   // it leads, and knows its jobs
	Leader      string // host:port of the one that leads, as clients reach it; "" for none
}

// Package api is the HTTP face of chronosish: the routes of Chronos that are served,
// of its generation 3.x below /v1/scheduler and of 2.x below /scheduler, in the shapes
// that its clients read; and below /v2 what Chronos has no route for.
//
// It owns the routes (one table, see Routes), the JSON of answers and errors, and the
// figures that are computed from the history. It decides nothing about jobs: what a
// body means is package job's, what follows from it is the book's, which is asked and
// told through Backend. Who may call is checked by the handler around it; it lets
// operators in and nobody else.
//
// What a client was shown may be sent back: a schedule that is written as it was shown
// is the one that the job has, with its anchor and with what is handled.
//
// Handlers run in any number of goroutines. Nothing is rendered while Backend.Read
// holds its lock.
package api

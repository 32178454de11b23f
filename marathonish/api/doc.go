// Package api is the HTTP face of marathonish: the REST routes and the event stream
// of Marathon 1.10 that are served, in the shapes that its clients read.
//
// It owns the routes (one table, see Routes), the JSON of answers and errors, and the
// framing of events. It decides nothing about apps: what a body means is package app's,
// what follows from it is the fleet's, which is asked and told through Backend. Who may
// call is checked by the handler around it; it lets operators in and nobody else.
//
// What is beyond Marathon is told only to who asks for it by embed: why (for what a
// waiting thing waits) and instanceIndex (of tasks), because old clients refuse objects
// with keys that they do not know.
//
// Handlers run in any number of goroutines. Nothing is rendered while Backend.Read
// holds its lock.
package api

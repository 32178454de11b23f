// Package chronosish is the shell of the batch scheduler: an ordinary framework, which
// uses nothing but sdk. It leads by a lease in the store, gives what happens to its mind
// (package book), and does what the mind decides: transactions in the store, calls to the
// kernel, answers to clients.
//
// It owns the connections, the clock and the goroutines, and decides nothing about jobs.
// A chronosish that loses its leadership ends; whoever started it, which is marathonish,
// starts it anew.
//
// Concurrency: one goroutine steps the book, under a lock that readers share. Everything
// else (the framework's events, the store's answers, requests) only puts inputs into its
// queue.
package chronosish

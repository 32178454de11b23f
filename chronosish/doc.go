// Package chronosish is the batch scheduler: an ordinary framework, which uses nothing but
// sdk. Its mind is package book, its REST package api; sdk/scheduler leads, stores and makes
// the kernel calls for it. Here they are put together.
//
// It decides nothing about jobs. A chronosish that loses its leadership ends; whoever
// started it, which is marathonish, starts it anew.
//
// Concurrency: that of sdk/scheduler: one goroutine steps the book, under a lock that
// readers share.
package chronosish

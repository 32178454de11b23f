// Package rest is the HTTP part of a scheduler's API: a table of routes, who may call,
// what an instance answers that does not lead, whole answers in JSON, and refusals for
// whatever went wrong.
//
//	api := rest.API{Name: "wordcount", Things: "books", Leads: leads, Routes: []rest.Route{
//		{Method: "GET", Path: "/books/{name}", Doc: "One book.", Handle: show},
//	}}
//	handler := verifier.Handler(api.Handler()) // of package gateway
//
// It owns how a path finds its line of the table: doubled slashes and those at the end
// count for nothing, the first line whose path fits decides, HEAD is served where GET is.
// It lets operators in and nobody else. What a refusal looks like is the API's own
// (Shape): clients of older systems have their habits.
//
// It never decides what a request means, and keeps nothing. A handler made of an API may
// be used by any number of goroutines.
package rest

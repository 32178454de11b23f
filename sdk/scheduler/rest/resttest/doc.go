// Package resttest is for tests of what package rest serves: it takes the gateway's place
// in front of a handler, and writes answers down as scripts show them. It keeps nothing,
// and may be used by any number of goroutines.
package resttest

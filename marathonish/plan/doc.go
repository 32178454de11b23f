// Package plan decides what has to be done about one app: how many instances to
// launch under which indexes, which to end and why, whether a deployment is done,
// and what it waits for.
//
// It is level-triggered: Decide looks at what is wanted and at what there is, and
// at nothing that has happened before. So it makes no difference whether an
// instance died, was never launched, or is half replaced by a marathonish that was
// killed meanwhile.
//
// The rules of a replacement are Marathon's: never fewer ready instances than
// minimumHealthCapacity asks for, never more instances in all than
// maximumOverCapacity allows, those that are being ended included until they have
// ended. Each instance has an index from 0 to n-1; two have the same only while one
// replaces the other. Who has to go is chosen by one function, whatever the reason.
//
// The package is pure: no clock, no chance, no effects. It keeps no state and may
// be used by any number of goroutines.
package plan

// Package linear judges whether what clients saw of a key-value store could be: whether
// there is one order of all calls, each at some moment between its beginning and its end,
// in which every answer is right. A write of which nobody knows whether it was done may
// stand anywhere after its beginning, or nowhere.
//
// It owns the record of calls and the model; the search is porcupine's. A verdict that is
// not reached in time counts as a failure. A History may be written by any number of
// goroutines; Check is to be called when they have ended. It starts no process and knows
// no network.
package linear

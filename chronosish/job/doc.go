// Package job is the definition of a batch job: what to run, by which schedule or
// after which parents, and under which rules. It owns the fields, the JSON of Chronos
// in both directions (of its generations 2.x and 3.x: the union of their fields), the
// defaults, and every rule that a definition must keep by itself. What a schedule
// means is package schedule's, which also reads it; whether parents exist and make no
// cycle is package graph's.
//
// Nothing that a client sends is ignored in silence: a field that Chronos knows and
// this package does not serve yet is refused by name, unless it says what is the case
// anyway, and an unknown field is refused too. Only what a server writes into its
// answers and clients send back (counts, times of the last outcomes) is passed over.
//
// The package decides nothing about runs and knows neither clock nor network. A Job is
// never changed in place once it is shared, so it may be read by any number of
// goroutines.
package job

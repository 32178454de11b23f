// Package schedule tells when a job is to run: it reads ISO 8601 repeating intervals
// and cron expressions and computes their slots. It owns both grammars, the zones and
// their names, what happens to a time that a change of the clocks leaves out or
// repeats, and how Chronos writes a schedule that is partly used up.
//
// A schedule has one anchor for all its life: slot k of an interval is the anchor plus
// k periods, never the slot before plus one period. So P1M from January 31 gives
// February 28 and March 31, and a job at 02:30 is back at 02:30 the day after the
// clocks went forward. A local time that does not exist is moved on by the length of
// the gap; one that exists twice counts the first time, once. A cron expression that
// names every hour goes by the hours that really pass: both hours of an overlap, and
// none of a gap. robfig/cron reads single cron fields, and nothing else of it is used:
// its Next loses runs in gaps and doubles them in overlaps. There is one rule for gaps and
// overlaps; a job cannot choose another.
//
// The package never decides whether a slot is run, skipped or late; that is package
// due. It knows neither the clock nor the disk: the zone data are its own, an edition that
// ZoneVersion tells. Whoever keeps slots beyond a program's life computes them anew with
// the next one. A Schedule is never changed once it is made, so any number of goroutines
// may use one.
package schedule

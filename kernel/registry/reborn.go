package registry

import "time"

// Rebirth is the generation after a restore at now, and a revision above all that anybody
// can have seen before, where the highest known ones are generation and index. Neither
// stands in what is there now: between the moment that a file was saved in and its restore,
// and after another restore of the same file, masters that are lost have gone on. So it is
// the time that makes both: generations are seconds, and each has room for more entries of
// the log than a second can bring.
func Rebirth(now time.Time, generation, index uint64) (born, floor uint64) {
	const entries = 1 << 20 // a second; in a revision that stays below 2^53, which any JSON can carry
	born = max(generation+1, uint64(max(now.Unix(), 0)))
	return born, max(born*entries, index+entries)
}

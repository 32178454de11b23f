package schedule

import (
	"fmt"
	"sort"
	"strconv"
	"time"
)

// interval is a repeating interval: slot k is the anchor plus k periods, 0 ≤ k < count.
type interval struct {
	count  int64 // -1 without a bound
	day    int64 // of the anchor on the zone's clock, days since 1970
	inDay  int64 // milliseconds of that day
	zone   *time.Location
	first  int64 // the instant of slot 0
	period period
	every  bool // written as @every
}

// at is the instant of slot k, and is false behind the year 9999. It never falls as k
// grows.
func (v *interval) at(k int64) (int64, bool) {
	switch {
	case k == 0:
		return v.first, v.first <= lastMS // an empty start may be the second of two equal local times
	case k > v.farthest():
		return 0, false
	case v.period.months == 0 && v.period.days == 0:
		t := v.first + k*v.period.exact
		return t, t <= lastMS
	}
	day := addMonths(v.day, k*v.period.months) + k*v.period.days
	local := day*dayMS + v.inDay
	t := resolve(v.zone, floorDiv(local, 1000))*1000 + v.inDay%1000 + k*v.period.exact
	return t, t <= lastMS
}

// farthest is a slot that is surely behind the year 9999, and so small that nothing
// overflows on the way there.
func (v *interval) farthest() int64 {
	if v.period.zero() {
		return 0
	}
	return (lastMS-v.first+62*dayMS)/v.period.length() + 2
}

// after is the first slot later than an instant, and its number: the last one, if
// several are at that instant.
func (v *interval) after(ms int64) (slot, k int64, ok bool) {
	end := v.end()
	k = v.search(ms, end)
	if k >= end {
		return 0, 0, false
	}
	slot, ok = v.at(k)
	if ok && v.period.months == 0 && v.period.exact == 0 {
		// A day that the clocks skip whole falls on the next one.
		for k+1 < end {
			if next, ok := v.at(k + 1); !ok || next != slot {
				break
			}
			k++
		}
	}
	return slot, k, ok
}

// end is the number behind the last slot.
func (v *interval) end() int64 {
	end := max(v.farthest()+1, 0)
	if v.count >= 0 {
		end = min(end, v.count)
	}
	return end
}

// search is the smallest k below end whose slot is later than ms, or end. It looks
// around where slots of mean length would be: months and gaps move one by days at most.
func (v *interval) search(ms, end int64) int64 {
	later := func(k int64) bool {
		t, ok := v.at(k)
		return !ok || t > ms
	}
	if end <= 0 || later(0) {
		return 0
	}
	length := v.period.length()
	if length == 0 {
		return end
	}
	guess := (ms - v.first) / length
	low := int64(0) // not later
	for step := int64(2); guess-step > 0; step *= 4 {
		if guess-step < end && !later(guess-step) {
			low = guess - step
			break
		}
	}
	high := end
	for step := int64(2); guess+step < end; step *= 4 {
		if later(guess + step) {
			high = guess + step
			break
		}
	}
	return low + 1 + int64(sort.Search(int(high-low-1), func(i int) bool { return later(low + 1 + int64(i)) }))
}

// chronos writes what is left of the interval after some repetitions.
func (v *interval) chronos(consumed int64, zone *time.Location) string {
	left := ""
	if v.count >= 0 {
		left = strconv.FormatInt(max(v.count-consumed, 0), 10)
	}
	start, ok := v.at(consumed)
	switch {
	case v.period.zero():
		start = v.first
	case !ok:
		start = lastMS
	}
	next := time.UnixMilli(start).In(zone)
	if next.Year() > 9999 {
		next = next.UTC() // no client reads years of five digits
	}
	return fmt.Sprintf("R%s/%s/%s", left, next.Format("2006-01-02T15:04:05.000Z07:00"), v.period)
}

// addMonths adds months to a day, both counted since 1970; a day that the month does
// not have becomes its last one.
func addMonths(day, months int64) int64 {
	if months == 0 {
		return day
	}
	y, m, d := time.Unix(day*86400, 0).UTC().Date()
	first := time.Date(y, m+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	return first.Unix()/86400 + int64(min(d, daysIn(first.Year(), first.Month()))) - 1
}

func daysIn(year int, month time.Month) int {
	switch month {
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case time.April, time.June, time.September, time.November:
		return 30
	}
	return 31
}

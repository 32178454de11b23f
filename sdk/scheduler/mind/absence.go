package mind

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Absent takes in what a status of a task says of its agent's absence: since when it is
// unreachable, by this mind's clock, and mark, which tells one absence from another (both
// zero while it is there). Both are kept with the task's record. It tells whether they
// changed.
//
// The masters say by their own clock since when an agent is unreachable, and the predecessor
// who wrote the record had a clock too; any of them may be hours off. So an absence counts
// from when it was heard of, and a successor counts from when it has read of it: whoever
// loads a record with a since puts his own now in its place.
func Absent(now time.Time, st *sdk.TaskStatus, since *time.Time, mark *int64) (changed bool) {
	if st.State != sdk.TaskUnreachable {
		changed = !since.IsZero()
		*since, *mark = time.Time{}, 0
		return changed
	}
	told := *mark
	if st.UnreachableTime != nil {
		told = st.UnreachableTime.Nanoseconds
	}
	if !since.IsZero() && told == *mark {
		return false
	}
	*since, *mark = now, told
	return true
}

// Moment is the time of a status, which is of the clock of whoever made it, or otherwise
// where it has none.
func Moment(timestamp float64, otherwise time.Time) time.Time {
	if timestamp <= 0 {
		return otherwise
	}
	return time.UnixMicro(int64(timestamp * 1e6)).UTC()
}

// Within is when something happened that another clock dates at, as far as this one can
// have it: between what it followed and now. What is counted from there does not move when
// this clock is set.
func Within(at, followed, now time.Time) time.Time {
	switch {
	case at.After(now), followed.After(now):
		return now
	case at.Before(followed):
		at = followed
	}
	return now.Add(at.Sub(now))
}

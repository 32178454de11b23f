// Package slots judges a scheduler of jobs by what the runs themselves wrote. From the
// definitions of the jobs it reckons which slots there were, by an arithmetic of its own;
// from the lines which each run appended to a file when it began and when it ended it
// sees which of them ran, when, and after whom; and of the scheduler's own history it
// believes only what speaks for or against it: the slots that it says to have skipped,
// and what it says of attempts that the files tell otherwise.
//
// It owns the form of these lines, the shell command that writes them, and the verdicts.
// It is pure: no clock, no disk, no random; it knows nothing of chronosish but the names
// of the variables that a run finds. Nothing is kept between two calls, so that they may
// be made from any number of goroutines.
package slots

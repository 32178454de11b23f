// Package api is the HTTP face of chronosish: the routes of Chronos that are served,
// of its generation 3.x below /v1/scheduler and of 2.x below /scheduler, in the shapes
// that its clients read; and below /v2 what Chronos has no route for.
//
// It owns the routes (one table, see Routes), the JSON of answers and errors, and the
// figures that are computed from the history. It decides nothing about jobs: what a
// body means is package job's, what follows from it is the book's, which is asked and
// told through Backend. Who may call is checked by the handler around it; it lets
// operators in and nobody else.
//
// What a client was shown may be sent back: a schedule that is written as it was shown
// is the one that the job has, with its anchor and with what is handled. So is a file
// inside the job that a list has shown by its size alone; the job itself has it whole.
//
// What differs from Chronos, whose two generations differ from each other:
//
//   - What cannot be done as it was asked is refused with 400 and a sentence: parents that
//     do not exist or make a cycle (3.x drops such jobs, or fails), parents sent to
//     /iso8601, a schedule sent to /dependency, zones that are not known (Chronos takes
//     UTC), operators of constraints likewise (it drops the constraint), and unknown fields
//     (it ignores them; a wrong letter would lose a rule in silence). So are the fields and
//     routes that are not served yet: container, async, executor, dataProcessingJobType, a
//     command that is an address, /task/{id}, /task/all, …/progress.
//   - Names are those of 3.x below both prefixes: a space or # of 2.x would stand in task
//     ids and in the lines of the graph.
//   - Without epsilon the rule of 3.x holds (the latest missed slot runs), with it that of
//     2.x; there is no epsilon that a job has without saying so. A changed schedule has no slot
//     before the change, but for one with an epsilon that says that it began in the past.
//   - A job that is disabled starts nothing that waits, as in Chronos, and tells so in its
//     history; what has begun goes on to its last retry.
//   - Counts and times of outcomes that a body has are passed over: a change resets nothing.
//   - Run now runs each time that it is asked, disabled jobs too, and uses up no
//     repetition. Retries have a delay of the job's own and are judged for each run, so that
//     a failure in the past takes none away.
//   - The child of a deleted job takes its schedule only where it has no other parent left,
//     and keeps all its own fields. Neither ?cascade= nor ?orphans= is there.
//   - job/success answers with a text of JSON; mean is a mean; graph/csv of no jobs is an
//     empty line.
//   - Nobody is told of what happens: owner is kept and shown, but there are no mails and no
//     hooks, and no job is disabled after so many failures. /logging is not there, and the
//     zone BST (which is Dhaka's, as in Java) brings no warning.
//   - Access-Control-Allow-Origin stands in every answer of this package, and not in those
//     that the gateway gives itself (401, 403, 503): it refuses pages of other origins anyway.
//
// Handlers run in any number of goroutines. Nothing is rendered while Backend.Read
// holds its lock.
package api

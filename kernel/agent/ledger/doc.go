// Package ledger is the agent's durable mind: which tasks and executors it has,
// which updates nobody has acknowledged yet, which task ids are used up, and which
// leader is the newest. It is a pure state machine: facts go in, each with the
// time; records to store and effects to perform come out.
//
// Obligations of the shell around it, in this order:
//
//  1. New, then Restore with the records of the checkpoint, then Step with
//     Recovered.
//  2. Step for each input. Ready takes what has come of it: first store all
//     Records durably, then perform all Effects, in order. One Ready may hold the
//     outcome of many Steps: that is the group commit.
//  3. Close the old link stream before Step(Opened); call Report after it and
//     register with that.
//  4. Answer every Prepare with Prepared or PrepareFailed, every Destroy with
//     Emptied, every StartExecutor with ExecutorStarted or ExecutorExited.
//  5. Step with Tick at least every second: every wait in here has a bound.
//
// A framework that is away finds every update of its tasks when it is back, with one
// exception: of those about the health of a task that runs on, only the first 15 or
// so and the newest (healthMax).
//
// What is durable changes only through apply, which also replays the checkpoint:
// the state after a crash is the state before it, less what was never promised.
//
// It never does I/O, reads no clock and no random source, and starts nothing. A
// Ledger belongs to one goroutine.
package ledger

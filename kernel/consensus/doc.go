// Package consensus keeps the registry and the frameworks' store the same on every
// master: raft around one state machine that holds both. It is the only importer
// of the raft library, so that nothing of raft's vocabulary reaches the rest of
// the kernel.
//
// It owns the log and the snapshots on disk, the transport between masters with
// its handshake, and the answer to "who leads, in which term". It never decides
// anything about agents or frameworks: commands come in, results go out, and what
// a command means is registry's or store's. Commands of the registry go to raft at
// once; those of the store in groups, one after the other, so that many writers
// share an fsync and the registry never waits behind more than one group.
//
// A lone voter has nobody to wait for: it stands for election as soon as it starts,
// and its time-outs are long, so that an idle master seldom wakes. Before a second
// voter is added raft starts anew with the cluster's. An instance of raft that is to end
// takes no more requests, and answers those that it has: raft itself would leave some of
// them waiting for ever (request.go).
//
// A leader whose process has died is not waited for either: its machine ends its connections
// and refuses new ones, and the voters stand for election in turn, the longest log first
// (succeed.go). The time-outs are for machines that are gone, cut off or stopped.
//
// Whether this master still leads, a majority has to say in answer to what it was sent after
// the question: raft alone would take an answer that was long under way (verify.go).
//
// What raft alone does wrong is put right around it: a leader sends entries again until they
// are taken, so that raft does not wait with them for one that is back, and tells of no commit
// behind what it sends (listening.go); it hands over to one that answers, and not again before
// the last time is over (others.go). A sign of life goes past raft's main loop only where it
// changes nothing, so that nobody writes in the term of its successor (inbox.go). A candidate
// believes in no leader, and so always has a vote for another (doubt.go). Who looks at registry
// and store while raft is started anew sees what there was (fsm.go).
//
// A master that knows of no cluster asks to be let into one (Join), and takes no part in
// raft before that was granted (Admit). Masters ask each other one question a connection
// on the raft port, behind the same handshake (talk.go).
//
// A leader that has waited for its disk longer than the others would wait for four dead
// leaders falls silent, so that one of them leads; it follows when the disk is back. What
// was not confirmed by then is told to be unknown.
//
// A Node may be used from any goroutine. A write or fsync of the log that fails
// ends the process (Options.Fatal): what the disk then holds is unknown, and a
// master that guesses could forget what it promised.
package consensus

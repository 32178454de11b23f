// Package scheduler is the scheduler of a framework as Proffer's own are written: it
// leads by a lease, loads its state from the store, steps one pure mind, commits under
// the leadership's guard, makes the kernel calls that the mind decides, and serves its
// API behind the gateway.
//
//	s, err := scheduler.New(scheduler.DefaultOptions("wordcount"), scheduler.Program[*book]{Load: load})
//	…
//	err = s.Run(ctx)
//
// What a framework brings is a Program: how its mind is made of what the store has (Load),
// what it serves (API; package rest has what such a thing needs), and what its own effects
// do (Perform). The mind is a state machine in the words of package mind: inputs in,
// effects out. It needs no lock, no clock and no connection, so its tests are lists of
// inputs. What others ask of it goes through Ask and Read.
//
// What it does by itself: it waits for the leadership, and resigns it at the end; while
// it waits it follows the space, so that it has the state when it leads; it keeps the
// framework's id in the store, under the key "framework", before anything is
// done under it; it tries a transaction again whose outcome is not known; when the
// guard does not hold, or the lease has ended, another one leads, or the store is not what
// it was (a snapshot was restored): it forgets its mind, waits to lead again, and begins
// with what the store has then. Whoever leads next takes over the tasks of the last one. All roles are
// suppressed at first: the mind revives those that it wants offers for.
//
// What it never does: decide, or acknowledge a status that the mind has not.
//
// Concurrency: one goroutine steps the mind, under a lock that readers share.
// Everything else (the framework's events, the store's answers, requests) only puts
// inputs into its queue. All methods may be called from anywhere; Run once.
package scheduler

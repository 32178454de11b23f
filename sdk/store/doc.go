// Package store is the client of the kernel's replicated key-value spaces, in
// which frameworks keep their state, so that they can be killed at any moment.
//
//	s, err := store.Open(store.FromEnv("state"))
//	lead, err := s.Lead(ctx, "leader", hostname, 5*time.Second)
//	result, err := s.Commit(ctx, store.Txn{
//		If:   []store.Compare{lead.Guard(), store.Absent("run/7")},
//		Then: []store.Op{store.Put("run/7", record)},
//	})
//
// A space belongs to a principal and a name; who has the principal's credentials
// may use it, before and without SUBSCRIBE. Every write makes a revision, a number
// that only grows. Reads are linearizable: they see every write that was answered
// before they began.
//
// # Limits
//
// Keys are non-empty UTF-8 of at most 1024 bytes without control characters, a
// value has at most 512 KiB, a transaction at most 1 MiB in keys and values and
// 4096 compares and operations, a space 64 MiB unless the masters are told
// otherwise (keys, values, and 64 bytes for each key). What is over a limit is
// refused with sdk.CodeExhausted, the size and the limit; what makes a space no
// larger is always taken.
//
// # Leases
//
// Keys that were put with a lease go when it ends: when it is revoked, when its
// holder does not keep it alive for its time-to-live, or when the task whose token
// it was granted to has ended. Time counts only while there is a leading master; a
// new one gives every lease its whole time again.
//
// # Bounds
//
// Every call but Watch and Lead is over within Options.Patience and CallBound (ten
// seconds), and a write that cannot be made again within CallBound after it was first
// sent. A master that is stopped or cut off costs a call three seconds (masters.SilentAfter
// and AliveBound) where another one is known: a read is then made there, of a write it is
// not known whether it was done (sdk.CodeUnknown). A Watch leaves such a master after a
// heartbeat and a quarter (six seconds and a little), and the two seconds in which it
// might have said that it lives.
//
// # In other languages
//
// Everything is POST /api/v1/store with a JSON body (Content-Type and Accept:
// application/json) and the token as Authorization: Bearer. A master that does not
// lead answers 307 with the leader's address; send the same request there, with
// the token. Values are base64. Calls and answers:
//
//	{"type":"GET","space":"state","get":{"key":"a"}}
//	  200 {"type":"GET","revision":17,"kvs":[{"key":"a","value":"eA==","created":5,"modified":9,"version":2}]}
//	  404 when there is no such key
//	{"type":"LIST","space":"state","list":{"prefix":"run/"}}
//	  200 {"type":"LIST","revision":17,"kvs":[…]}
//	{"type":"COMMIT","space":"state","commit":{
//	   "if":  [{"type":"ABSENT","key":"b"},{"type":"EXISTS","key":"a"},{"type":"UNCHANGED","key":"a","modified":9},
//	           {"type":"VALUE_IS","key":"a","value":"eA=="},{"type":"HELD_BY","key":"leader","lease":"17"}],
//	   "then":[{"type":"PUT","key":"b","value":"eQ=="},{"type":"PUT","key":"leader","value":"","lease":"17"},
//	           {"type":"DELETE","key":"c"},{"type":"DELETE_PREFIX","key":"run/"}],
//	   "else":[]}}
//	  200 {"type":"COMMIT","revision":18,"held":true}      false: a compare did not hold, Else was done
//	{"type":"GRANT","space":"state","grant":{"ttl_seconds":5}}
//	  200 {"type":"GRANT","revision":19,"lease":{"id":"19","ttl_seconds":5}}
//	{"type":"KEEP_ALIVE","space":"state","keep_alive":{"lease":"19"}}
//	  200 as GRANT; 404 when the lease has ended: its keys are gone
//	{"type":"REVOKE","space":"state","revoke":{"lease":"19"}}
//	  200 {"type":"REVOKE","revision":20}
//	{"type":"WATCH","space":"state","watch":{"prefix":"run/","after":17}}
//	  200 and a stream of records, each its length in decimal, "\n", then so many bytes of JSON:
//	  {"type":"WATCHING","revision":17,"heartbeat_interval_seconds":5}
//	  {"type":"CHANGES","revision":18,"changes":[{"kv":{"key":"run/7",…}},{"deleted":true,"kv":{"key":"run/6","modified":18}}]}
//	  {"type":"HEARTBEAT","revision":20}
//	  410 when the history does not reach back to "after": list again
//
// An operator adds "principal":"…" to name whose space is meant. Empty lists and values,
// false and zero are left out, and may be. Refusals are 4xx with a text: 400 wrong, 401 and
// 403 credentials, 429 over a limit. 503 means that nothing was done and no master
// could: try again. 504, or a connection that breaks, means that it is not known
// whether a write was done: read, or make the transaction such that it may be
// tried again (compare what it changes).
//
// # Concurrency
//
// A Space owns connections only and may be used by any number of goroutines. A
// Leadership has one goroutine, which keeps its lease alive until it is lost or
// resigned.
package store

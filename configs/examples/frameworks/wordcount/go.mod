module wordcount

go 1.26.0

require github.com/profferhq/proffer v0.0.0

require (
	github.com/cenkalti/backoff/v5 v5.0.3 // indirect
	github.com/google/btree v1.1.3 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/vmihailenco/msgpack/v5 v5.3.6 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

// An example in the checkout builds against the checkout; a framework of yours
// requires a version and has no such line.
replace github.com/profferhq/proffer => ../../../..

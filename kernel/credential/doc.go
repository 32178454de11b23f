// Package credential makes and checks what the parts of a cluster prove to each
// other: the cluster key, tokens signed with it, and proofs of having it.
//
// It owns the key's derivations, the token format and the proof format. It never
// stores a token: whoever holds the key can verify one, so nothing is written
// per launch and nothing has to be replicated.
//
// Everything is a pure function of its parameters and may be used from any
// goroutine, with one exception kept in a file of its own: keyfile.go reads and
// creates the key and token files.
package credential

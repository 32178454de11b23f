package store

import (
	"context"

	"github.com/profferhq/proffer/sdk"
)

// Compare is one condition of a transaction.
type Compare = sdk.StoreCompare

// Op is one operation of a transaction.
type Op = sdk.StoreOp

// Txn is a transaction: when all of If hold, the operations of Then are done, else
// those of Else; all of them or none, in their order.
type Txn struct {
	If         []Compare
	Then, Else []Op
}

// Absent holds when there is no such key.
func Absent(key string) Compare { return Compare{Type: sdk.StoreAbsent, Key: key} }

// Exists holds when there is such a key.
func Exists(key string) Compare { return Compare{Type: sdk.StoreExists, Key: key} }

// Unchanged holds when the key's last change was at that revision (KV.Modified).
func Unchanged(key string, modified uint64) Compare {
	return Compare{Type: sdk.StoreUnchanged, Key: key, Modified: modified}
}

// ValueIs holds when the key is there with that value.
func ValueIs(key string, value []byte) Compare {
	return Compare{Type: sdk.StoreValueIs, Key: key, Value: value}
}

// HeldBy holds when the key is there and attached to that lease.
func HeldBy(key, lease string) Compare {
	return Compare{Type: sdk.StoreHeldBy, Key: key, Lease: lease}
}

// Put sets a key, and attaches it to no lease.
func Put(key string, value []byte) Op { return Op{Type: sdk.StorePut, Key: key, Value: value} }

// PutHeld sets a key that goes when the lease ends.
func PutHeld(key string, value []byte, lease string) Op {
	return Op{Type: sdk.StorePut, Key: key, Value: value, Lease: lease}
}

// Delete deletes a key, if it is there.
func Delete(key string) Op { return Op{Type: sdk.StoreDelete, Key: key} }

// DeletePrefix deletes all keys that begin with prefix; all keys when it is empty.
func DeletePrefix(prefix string) Op { return Op{Type: sdk.StoreDeletePrefix, Key: prefix} }

// Result is what became of a transaction.
type Result struct {
	Held     bool   // the compares held, Then was done; else Else was
	Revision uint64 // that it made
}

// Commit does a transaction. That the compares did not hold is no error. The codes
// of its errors tell what is known:
//
//   - sdk.CodeUnknown: it may or may not have been done, and may still be. A
//     transaction that compares what it changes may be tried again.
//   - sdk.CodeUnavailable: it was not done; no master could take it for as long as
//     Options.Patience.
//   - any other, and ctx's error: it was refused, or never sent, and not done.
//     sdk.CodeExhausted names the limit and the size, sdk.CodeNotFound a lease that
//     has ended.
func (s *Space) Commit(ctx context.Context, t Txn) (Result, error) {
	answer, err := s.write(ctx, "commit", &sdk.StoreCall{Type: sdk.StoreCallCommit,
		Commit: &sdk.StoreCommit{If: t.If, Then: t.Then, Else: t.Else}})
	if err != nil {
		return Result{}, err
	}
	return Result{Held: answer.Held, Revision: answer.Revision}, nil
}

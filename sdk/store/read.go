package store

import (
	"context"

	"github.com/profferhq/proffer/sdk"
)

// KV is one key with its value, the revisions of its creation and last change, its
// version (1 at its creation) and the lease that it is attached to.
type KV = sdk.StoreKV

// Get reads one key; sdk.CodeNotFound when it is absent.
func (s *Space) Get(ctx context.Context, key string) (KV, error) {
	kv, _, err := s.getAt(ctx, key)
	return kv, err
}

// getAt is Get, with the revision of the store at which that is so.
func (s *Space) getAt(ctx context.Context, key string) (kv KV, revision uint64, err error) {
	answer, _, err := s.call(ctx, "get "+key, &sdk.StoreCall{Type: sdk.StoreCallGet, Get: &sdk.StoreGet{Key: key}})
	if err != nil {
		return KV{}, 0, err
	}
	if len(answer.KVs) != 1 {
		return KV{}, 0, sdk.Errorf(sdk.CodeInternal, "", "get %s: the master answered with %d keys", key, len(answer.KVs))
	}
	return answer.KVs[0], answer.Revision, nil
}

// List reads all keys that begin with prefix, in the order of their bytes, as they
// were together at one revision; Watch after that revision misses nothing.
func (s *Space) List(ctx context.Context, prefix string) (kvs []KV, revision uint64, err error) {
	answer, _, err := s.call(ctx, "list "+prefix, &sdk.StoreCall{Type: sdk.StoreCallList, List: &sdk.StoreList{Prefix: prefix}})
	if err != nil {
		return nil, 0, err
	}
	return answer.KVs, answer.Revision, nil
}

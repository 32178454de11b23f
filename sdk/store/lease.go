package store

import (
	"context"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Grant takes a lease; it ends when nobody calls KeepAlive for its time-to-live,
// from 100 ms to a day, by Revoke, or with the task whose token the Space has.
// Lead is what most need.
func (s *Space) Grant(ctx context.Context, ttl time.Duration) (lease string, err error) {
	answer, err := s.write(ctx, "grant a lease", &sdk.StoreCall{Type: sdk.StoreCallGrant, Grant: &sdk.StoreGrant{
		TTLSeconds: ttl.Seconds(), FrameworkID: s.opts.FrameworkID, TaskID: s.opts.TaskID}})
	if err != nil {
		return "", err
	}
	if answer.Lease == nil {
		return "", sdk.Errorf(sdk.CodeInternal, "", "grant a lease: the master answered without one")
	}
	return answer.Lease.ID, nil
}

// KeepAlive gives the lease its whole time-to-live again; sdk.CodeNotFound when it
// has ended.
func (s *Space) KeepAlive(ctx context.Context, lease string) error {
	_, _, err := s.call(ctx, "keep lease "+lease+" alive", &sdk.StoreCall{Type: sdk.StoreCallKeepAlive, KeepAlive: &sdk.StoreKeepAlive{Lease: lease}})
	return err
}

// Revoke ends a lease: the keys attached to it are deleted. One that has ended
// already is no error.
func (s *Space) Revoke(ctx context.Context, lease string) error {
	_, err := s.write(ctx, "revoke lease "+lease, &sdk.StoreCall{Type: sdk.StoreCallRevoke, Revoke: &sdk.StoreRevoke{Lease: lease}})
	if sdk.CodeOf(err) == sdk.CodeNotFound {
		return nil
	}
	return err
}

package isolator

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/profferhq/proffer/kernel/agent/usage"
	"github.com/profferhq/proffer/sdk"
	"golang.org/x/sync/errgroup"
)

// Chain runs isolators in the order of the list and undoes them in reverse. It
// offers every optional interface and passes each call to those that have it.
type Chain []Isolator

// Prepare prepares the container with each isolator in turn. When one fails, it
// and those before it are undone, the last first, and the first error is returned.
// What could not be undone stays for the next Cleanup, and is part of the error.
func (ch Chain) Prepare(ctx context.Context, c *Container, spec *sdk.LaunchSpec) error {
	if err := sdk.ValidateID("container_id", c.ID); err != nil {
		return err
	}
	for i, iso := range ch {
		err := iso.Prepare(ctx, c, spec)
		if err == nil {
			continue
		}
		err = fmt.Errorf("prepare %s: %w", iso.Name(), err)
		// The caller's deadline may be what made it fail; undoing must go on.
		if undo := ch[:i+1].Cleanup(context.WithoutCancel(ctx), c); undo != nil {
			err = errors.Join(err, undo)
		}
		return err
	}
	return nil
}

// Cleanup undoes every isolator, the last first. An error of one does not keep the
// others from their work; the caller tries again later.
func (ch Chain) Cleanup(ctx context.Context, c *Container) error {
	var errs []error
	for _, iso := range slices.Backward(ch) {
		if err := iso.Cleanup(ctx, c); err != nil {
			errs = append(errs, fmt.Errorf("clean up %s: %w", iso.Name(), err))
		}
	}
	return errors.Join(errs...)
}

// Destroy ends the container's processes by every means there is, and returns nil
// only when each of them finds it empty.
func (ch Chain) Destroy(ctx context.Context, c *Container) error {
	for _, iso := range slices.Backward(ch) {
		if d, ok := iso.(Destroyer); ok {
			if err := d.Destroy(ctx, c); err != nil {
				return fmt.Errorf("destroy by %s: %w", iso.Name(), err)
			}
		}
	}
	return nil
}

// CanEmpty says whether an isolator of the chain can tell that a container is
// empty. Without one a terminal state can not promise that no process is left.
func (ch Chain) CanEmpty() bool {
	for _, iso := range ch {
		if e, ok := iso.(interface{ CanEmpty() bool }); ok && e.CanEmpty() {
			return true
		}
	}
	return false
}

// Recover recovers each isolator in turn. The ids are those of all orphans, sorted
// and each once.
func (ch Chain) Recover(ctx context.Context, known []*Container) ([]string, error) {
	var orphans []string
	var errs []error
	for _, iso := range ch {
		r, ok := iso.(Recoverer)
		if !ok {
			continue
		}
		ids, err := r.Recover(ctx, known)
		orphans = append(orphans, ids...)
		if err != nil {
			errs = append(errs, fmt.Errorf("recover %s: %w", iso.Name(), err))
		}
	}
	slices.Sort(orphans)
	return slices.Compact(orphans), errors.Join(errs...)
}

// Reached is the first limit that an isolator of the chain names.
func (ch Chain) Reached(ctx context.Context, c *Container) (*Limitation, error) {
	var errs []error
	for _, iso := range ch {
		w, ok := iso.(Watcher)
		if !ok {
			continue
		}
		l, err := w.Reached(ctx, c)
		if l != nil {
			return l, nil
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("limits of %s: %w", iso.Name(), err))
		}
	}
	return nil, errors.Join(errs...)
}

// Watch watches all limits until ctx ends; tell is called by one goroutine per
// watching isolator.
func (ch Chain) Watch(ctx context.Context, tell func(containerID string, l Limitation)) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, iso := range ch {
		if w, ok := iso.(Watcher); ok {
			group.Go(func() error { return w.Watch(ctx, tell) })
		}
	}
	return group.Wait()
}

// Resize changes the bounds of a running container.
func (ch Chain) Resize(ctx context.Context, c *Container) error {
	var errs []error
	for _, iso := range ch {
		if r, ok := iso.(Resizer); ok {
			if err := r.Resize(ctx, c); err != nil {
				errs = append(errs, fmt.Errorf("resize %s: %w", iso.Name(), err))
			}
		}
	}
	return errors.Join(errs...)
}

// Sample collects the numbers of all isolators.
func (ch Chain) Sample(ctx context.Context, c *Container, into *usage.Sample) error {
	var errs []error
	for _, iso := range ch {
		if s, ok := iso.(Sampler); ok {
			if err := s.Sample(ctx, c, into); err != nil {
				errs = append(errs, fmt.Errorf("sample %s: %w", iso.Name(), err))
			}
		}
	}
	return errors.Join(errs...)
}

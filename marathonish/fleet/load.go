package fleet

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// Load makes a Fleet of what an earlier one has left in the store. Keys of others are
// passed over; a record that cannot be read is an error, which names its key: to go
// on without it might launch twice what it tells of.
func Load(now time.Time, opt Options, kvs []sdk.StoreKV) (*Fleet, error) {
	f := &Fleet{
		opt: opt.withDefaults(), now: now, ids: ids{seed: opt.Seed},
		services: map[app.ID]*service{}, units: map[sdk.TaskID]*unit{}, deployments: map[string]*deployment{},
		booted: map[app.ID]bool{}, dirty: map[app.ID]bool{}, wanting: map[app.ID]bool{}, ports: make([]uint16, 1<<16),
		market: map[string]*mind.Market{},
	}
	f.full.scarce = now.Add(f.opt.FullPause) // it may be, and what was known of it is gone
	f.session = newSession(f.opt)
	f.outbox = mind.Outbox{MaxTxn: f.opt.MaxTxn, MaxWrites: f.opt.MaxWrites}
	for _, kv := range kvs {
		if err := f.restore(kv); err != nil {
			return nil, fmt.Errorf("the store's key %s: %w", kv.Key, err)
		}
	}
	for _, id := range sortedKeys(f.deployments) {
		d := f.deployments[id]
		for _, e := range d.rec.Edits {
			s := f.service(e.App)
			s.deployment = d
			if s.app == nil {
				s.former = decoded(e.Before)
			}
		}
	}
	for id, s := range f.services {
		if s.app != nil {
			f.setPorts(s.app, 1)
			s.restored = s.deployment == nil
		}
		f.touch(id)
	}
	return f, nil
}

func (f *Fleet) restore(kv sdk.StoreKV) error {
	switch {
	case strings.HasPrefix(kv.Key, keyApps+"/"):
		return f.restoreApp(kv)
	case strings.HasPrefix(kv.Key, keyVersions+"/"):
		a, err := app.Stored(kv.Value)
		if err != nil {
			return err
		}
		f.service(a.ID).versions[a.Version] = a
	case strings.HasPrefix(kv.Key, keyFailures+"/"):
		var r failureRecord
		if err := json.Unmarshal(kv.Value, &r); err != nil {
			return err
		}
		s := f.service(app.ID(strings.TrimPrefix(kv.Key, keyFailures)))
		s.failure, s.backoff = r.Last, r.Backoff
	case strings.HasPrefix(kv.Key, keyDeployments):
		return f.restoreDeployment(kv)
	case strings.HasPrefix(kv.Key, keyRuns):
		return f.restoreRun(kv)
	case kv.Key == keyBoot:
		var marks []app.ID
		if err := json.Unmarshal(kv.Value, &marks); err != nil {
			return err
		}
		for _, id := range marks {
			f.booted[id] = true
		}
	}
	return nil
}

func (f *Fleet) restoreApp(kv sdk.StoreKV) error {
	a, err := app.Stored(kv.Value)
	if err != nil {
		return err
	}
	s := f.service(a.ID)
	s.app = a
	s.versions[a.Version] = a
	return nil
}

func (f *Fleet) restoreDeployment(kv sdk.StoreKV) error {
	d := &deployment{}
	if err := json.Unmarshal(kv.Value, &d.rec); err != nil {
		return err
	}
	for _, e := range d.rec.Edits {
		if len(e.Before) > 0 {
			if _, err := app.Stored(e.Before); err != nil {
				return err
			}
		}
	}
	if len(d.rec.Steps) == 0 {
		return fmt.Errorf("the deployment has no steps")
	}
	f.deployments[d.rec.ID] = d
	return nil
}

func (f *Fleet) restoreRun(kv sdk.StoreKV) error {
	u := &unit{launched: true, since: f.now, state: sdk.TaskStaging}
	if err := json.Unmarshal(kv.Value, &u.rec); err != nil {
		return err
	}
	r := &u.rec
	if r.Task == "" || r.App == "" {
		return fmt.Errorf("the run has no task or no app")
	}
	switch {
	case !r.Lost.IsZero():
		u.state, r.Lost = sdk.TaskUnreachable, f.now
	case !r.Started.IsZero():
		u.state = sdk.TaskRunning
	}
	u.doomed = r.Doom != nil
	f.enrol(f.service(r.App), u)
	f.session.Watch(&u.watch, r.Task, r.Agent, false)
	return nil
}

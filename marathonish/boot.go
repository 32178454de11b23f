package marathonish

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// boot has the apps made that come with the cluster, as soon as it leads. The fleet remembers which it has
// made: one that was destroyed stays destroyed. A file that cannot be read stops
// nothing, and one app that is not sound does not stop the others.
func (s *Supervisor) boot() {
	if s.opts.BootApps == "" {
		return
	}
	data, err := os.ReadFile(s.opts.BootApps)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var bodies []json.RawMessage
	if err == nil {
		err = json.Unmarshal(data, &bodies)
	}
	if err != nil {
		s.log.Error("the apps that come with the cluster are not made", "file", s.opts.BootApps, "error", err)
		return
	}
	var apps []*app.App
	seen := map[app.ID]bool{}
	for i, body := range bodies {
		a, err := app.Parse(body)
		if err == nil && seen[a.ID] {
			err = app.Exists(a.ID)
		}
		if err != nil {
			s.log.Error("an app that comes with the cluster is not made", "file", s.opts.BootApps, "number", i, "error", err)
			continue
		}
		seen[a.ID] = true
		apps = append(apps, a)
	}
	if len(apps) > 0 {
		s.Push(mind.Request[fleet.Change]{Change: fleet.Change{Kind: fleet.Boot, Apps: apps, Force: true}})
	}
}

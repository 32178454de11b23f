package marathonish

import (
	"errors"
	"io/fs"
	"os"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
)

// boot has the apps made that come with the cluster. The fleet remembers which it has
// made: one that was destroyed stays destroyed. A file that cannot be read stops
// nothing.
func (s *Supervisor) boot() {
	if s.opts.BootApps == "" {
		return
	}
	data, err := os.ReadFile(s.opts.BootApps)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var apps []*app.App
	if err == nil {
		apps, err = app.ParseAll(data)
	}
	if err != nil {
		s.log.Error("the apps that come with the cluster are not made", "file", s.opts.BootApps, "error", err)
		return
	}
	s.queue.push(fleet.Request{Change: fleet.Change{Kind: fleet.Boot, Apps: apps, Force: true}})
}

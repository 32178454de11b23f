package cgroup

import "runtime"

// lend puts one thread of this process into the groups until release is closed; the
// thread dies with it.
func lend(dirs []string, joined chan<- error, release <-chan bool) {
	runtime.LockOSThread()
	for _, dir := range dirs {
		if err := write(dir+"/tasks", "0"); err != nil {
			joined <- err
			return
		}
	}
	joined <- nil
	<-release
}

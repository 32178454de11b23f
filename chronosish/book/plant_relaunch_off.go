//go:build !plant_relaunch

package book

// plantRelaunch is a planted bug that the tests must find: an attempt that was launched
// and not seen running is launched anew by the next scheduler, which does not ask.
const plantRelaunch = false

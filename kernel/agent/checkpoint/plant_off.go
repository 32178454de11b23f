//go:build !plant_skip_fsync

package checkpoint

// plantSkipFsync is a bug that the suite must find, see its twin.
const plantSkipFsync = false

//go:build plant_skip_fsync

package checkpoint

// plantSkipFsync makes the log forget its fsync, to prove that a test would notice.
const plantSkipFsync = true

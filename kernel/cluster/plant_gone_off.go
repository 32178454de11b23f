//go:build !plant_gone_before_commit

package cluster

// plantGoneBeforeCommit is a planted bug that the tests must find: an agent is given up
// before that is in the registry.
const plantGoneBeforeCommit = false

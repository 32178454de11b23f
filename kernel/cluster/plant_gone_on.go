//go:build plant_gone_before_commit

package cluster

const plantGoneBeforeCommit = true

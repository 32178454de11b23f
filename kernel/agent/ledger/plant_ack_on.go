//go:build plant_ack_before_store

package ledger

const plantAckBeforeStore = true

//go:build !plant_ack_before_store

package ledger

// plantAckBeforeStore is a planted bug that the tests must find: an executor's
// update is acknowledged one step before it is handed out to be stored.
const plantAckBeforeStore = false

//go:build plant_end_early

package ledger

const plantEndEarly = true

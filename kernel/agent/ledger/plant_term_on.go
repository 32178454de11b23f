//go:build plant_drop_term_check

package ledger

const plantDropTermCheck = true

//go:build !plant_drop_term_check

package ledger

// plantDropTermCheck is a planted bug that the tests must find: events of deposed
// leaders are obeyed.
const plantDropTermCheck = false

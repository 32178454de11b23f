//go:build !plant_gone_is_never

package book

// plantGoneIsNever is a planted bug that the tests must find: an attempt that is gone
// before it was seen running counts as never launched.
const plantGoneIsNever = false

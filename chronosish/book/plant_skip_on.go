//go:build plant_skip_unsaid

package book

const plantSkipUnsaid = true

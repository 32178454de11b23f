//go:build plant_gone_is_never

package book

const plantGoneIsNever = true

//go:build plant_drop_refused

package book

const plantDropRefused = true

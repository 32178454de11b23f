//go:build plant_ignore_guard

package store

const plantIgnoreGuard = true

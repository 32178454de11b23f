//go:build plant_relaunch

package book

const plantRelaunch = true

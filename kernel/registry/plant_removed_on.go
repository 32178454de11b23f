//go:build plant_forget_removed

package registry

const plantForgetRemoved = true

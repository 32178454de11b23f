//go:build plant_lease_for_ever

package store

const plantLeaseForEver = true

//go:build !plant_lease_for_ever

package store

// plantLeaseForEver is a planted bug that the tests must find: leases do not run out.
const plantLeaseForEver = false

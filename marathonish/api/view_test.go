package api

import "github.com/profferhq/proffer/marathonish/fleet"

// The fleet is what the API reads.
var _ View = (*fleet.Fleet)(nil)

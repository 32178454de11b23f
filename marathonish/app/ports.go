package app

import (
	"slices"
	"strconv"
)

// The service ports that are assigned where a definition says 0, both inclusive.
const (
	FirstServicePort = 10000
	LastServicePort  = 20000
)

// AssignPorts gives every port definition that says 0 a service port: the one that the
// app had there before, if it still fits, else the lowest that nobody has. With
// requirePorts a 0 stays: the number would be demanded of the agents' ports, and 0 asks
// for any. was is the
// app before the change, nil for none; taken tells whether another app has a port.
// a is changed in place, so it must not be shared yet. The error is a *Refusal.
func AssignPorts(a, was *App, taken func(port int) bool) error {
	if a.RequirePorts {
		return nil
	}
	own := map[int]bool{}
	for _, p := range a.PortDefinitions {
		own[p.Port] = true
	}
	free := func(port int) bool { return !own[port] && !taken(port) }
	inherit(a, was, own, free)
	next := FirstServicePort
	for i := range a.PortDefinitions {
		p := &a.PortDefinitions[i]
		if p.Port != 0 {
			continue
		}
		for ; p.Port == 0 && next <= LastServicePort; next++ {
			if free(next) {
				p.Port = next
			}
		}
		if p.Port == 0 {
			return Invalid("/portDefinitions("+strconv.Itoa(i)+")/port", "no service port is free between %d and %d; remove apps, or give a number outside", FirstServicePort, LastServicePort)
		}
		own[p.Port] = true
	}
	return nil
}

// inherit keeps assigned ports across a change: those of the same name first, then what
// is left in the order in which it was.
func inherit(a, was *App, own map[int]bool, free func(int) bool) {
	if was == nil {
		return
	}
	var before []PortDefinition // whose port was assigned
	for _, p := range was.PortDefinitions {
		if p.Port >= FirstServicePort && p.Port <= LastServicePort && free(p.Port) {
			before = append(before, p)
		}
	}
	for _, fits := range []func(p, old PortDefinition) bool{
		func(p, old PortDefinition) bool { return p.Name == old.Name && p.Name != "" },
		func(PortDefinition, PortDefinition) bool { return true },
	} {
		for i := range a.PortDefinitions {
			p := &a.PortDefinitions[i]
			k := slices.IndexFunc(before, func(old PortDefinition) bool { return p.Port == 0 && fits(*p, old) })
			if k >= 0 {
				p.Port, own[before[k].Port] = before[k].Port, true
				before = slices.Delete(before, k, k+1)
			}
		}
	}
}

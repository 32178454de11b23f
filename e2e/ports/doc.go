// Package ports finds a --port-offset for a `proffer up` of its own, beside whatever else
// runs on the machine. It knows the ports of DESIGN's table, and a hundred for tasks, and
// looks at each of them, TCP and UDP; it keeps none of them, so what it found is free until
// somebody takes it. It starts no goroutine and keeps no state.
package ports

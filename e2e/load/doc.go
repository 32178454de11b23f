// Package load asks a service for answers as a load balancer in front of it would: it
// reads from marathonish which instances are healthy, again and again, spreads requests
// over them on fresh connections, retries nothing, and counts what failed. Run owns the
// goroutines that it starts and returns after the last of them.
package load

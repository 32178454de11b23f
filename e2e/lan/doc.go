// Package lan is a network of hosts on one machine, for stories about bad networks. Each
// host is a network, process and mount namespace with a TAP device as its eth0; a switch
// in this process carries the frames between them, and delays, loses, doubles or cuts them
// as the story says, each direction of each pair by itself, from one seed. Every change is
// logged with its time.
//
// It owns the namespaces, the devices and the processes inside. Nothing of it is visible in
// the machine's own network, nothing has a name outside, and all of it goes when this
// process ends, however that ends: the first process of a host dies with the thread that
// has started it, and takes the host's other processes along. It knows nothing of Proffer
// and looks into no packet but for its two hardware addresses.
//
// All methods may be called by any goroutine. A Switch has one goroutine per port, which
// ends when the port is closed; a Host has one, locked to its thread, until Close.
package lan

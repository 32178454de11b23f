package ports

import (
	"fmt"
	"hash/fnv"
	"net"
	"os"
	"strconv"
)

// Step is what two offsets differ by at least: up to nine agents fit between them.
const Step = 100

// slots is how many offsets there are, from Step on; all ports stay below the ephemeral ones.
const slots = 80

// tasks is how many ports for tasks an offset has that no other has.
const tasks = Step

// Tasks are the first and the last port that tasks of the cluster at an offset may have
// beside clusters at other offsets: `proffer up` has a thousand from the first on, of which
// the rest is also others'.
func Tasks(offset int) (first, last int) { return 21000 + offset, 21000 + offset + tasks - 1 }

// Offset finds an offset of which every port of one master and of so many agents is free.
// Where it begins to look depends on this process and on what, a name, so that those who
// look at the same moment rarely find the same.
func Offset(what string, agents int) (int, error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(what)) // never fails
	begin := int(h.Sum32()%slots) + os.Getpid()
	var last error
	for i := range slots {
		offset := Step * ((begin+i)%slots + 1)
		if last = Free(offset, agents); last == nil {
			return offset, nil
		}
	}
	return 0, fmt.Errorf("none of the offsets %d to %d has all its ports free; the last: %w", Step, slots*Step, last)
}

// Free tells which port of an offset is taken, or nil when none is.
func Free(offset, agents int) error {
	// HTTP, raft and gossip of three masters, and the published ports.
	for _, port := range []int{5050, 5052, 7946, 5060, 5062, 7956, 5070, 5072, 7966, 8080, 4400} {
		if err := free("127.0.0.1", port+offset); err != nil {
			return err
		}
	}
	for port, last := Tasks(offset); port <= last; port++ {
		if err := free("127.0.0.1", port); err != nil {
			return err
		}
	}
	for n := range agents {
		for _, port := range []int{5051, 7947} {
			if err := free(fmt.Sprintf("127.0.0.%d", n+1), port+10*n+offset); err != nil {
				return err
			}
		}
	}
	return nil
}

func free(host string, port int) error {
	addr := net.JoinHostPort(host, strconv.Itoa(port))
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	defer l.Close()
	u, err := net.ListenPacket("udp", addr) // gossip takes both
	if err != nil {
		return err
	}
	return u.Close()
}

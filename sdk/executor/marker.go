package executor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// The record of a launch is one small file, made exclusively before the fork, so
// it is the marker too. Its head has a fixed place for each fact, and each fact
// has one writer and its own check sum, so a SIGKILL at any instruction leaves
// every fact either whole or absent:
//
//	  0  "PRFLNCH" and the format version
//	  8  boot id (36 bytes)
//	 48  length and check sum of the specification
//	 56  pid, written by the kernel into a shared mapping before the child runs
//	 60  1 once the child began (written by the child), 61: 1 once settled
//	 64  start time, 72 check sum of pid and start time
//	 80  kill note: reason, 88 grace, 96 time, 104 check sum
//	112  exit: 1 known or 2 unknown, 116 wait status, 120 time, 128 check sum
//	160  the specification in msgpack
const (
	markerFile  = "launched"
	markerMagic = "PRFLNCH"

	markerVersion = 1

	offVersion = 7
	offBoot    = 8
	offSpec    = 48
	offPID     = 56
	offBegan   = 60
	offSettled = 61
	offStart   = 64
	offKill    = 80
	offExit    = 112
	headSize   = 160

	bootIDSize = 36
)

var le = binary.LittleEndian

// bootID is the same for the life of the machine's boot.
var bootID = sync.OnceValues(func() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return string(bytes.TrimSpace(b)), err
})

// marker is the record while its launch is going on.
type marker struct {
	path string
	file *os.File
	page []byte // shared mapping of the head
}

// createMarker makes the record. CodeConflict: there was a launch already.
func createMarker(spec *sdk.LaunchSpec) (*marker, error) {
	path := filepath.Join(spec.RuntimeDir, markerFile)
	boot, err := bootID()
	if err != nil {
		return nil, &LaunchError{Step: "read the boot id", Err: err}
	}
	text, err := wire.Append(wire.Msgpack, make([]byte, headSize, 2*headSize+1024), spec)
	if err != nil {
		return nil, &LaunchError{Step: "write the specification", Err: err}
	}
	copy(text, markerMagic)
	text[offVersion] = markerVersion
	copy(text[offBoot:offBoot+bootIDSize], boot)
	le.PutUint32(text[offSpec:], uint32(len(text)-headSize))
	le.PutUint32(text[offSpec+4:], sum(text[headSize:]))

	// Written under another name first: the marker is whole as soon as it is there.
	m := &marker{path: path + ".new"}
	if m.file, err = os.OpenFile(m.path, os.O_RDWR|os.O_CREATE|os.O_TRUNC|unix.O_CLOEXEC, 0o600); err != nil {
		return nil, &LaunchError{Step: "make the launch marker", Path: path, Err: cause(err)}
	}
	if _, err = m.file.Write(text); err == nil {
		m.page, err = unix.Mmap(int(m.file.Fd()), 0, headSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		m.remove()
		return nil, &LaunchError{Step: "write the launch marker", Path: path, Err: cause(err)}
	}
	// Makes the page writable now, with an error instead of a signal when the disk
	// has no room for it. Kernels before 5.14 do not know it.
	if err := unix.Madvise(m.page, unix.MADV_POPULATE_WRITE); err != nil && !errors.Is(err, unix.EINVAL) {
		m.remove()
		return nil, &LaunchError{Step: "write the launch marker", Path: path, Err: err}
	}
	err = unix.Renameat2(unix.AT_FDCWD, m.path, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EEXIST) {
		m.remove()
		return nil, &sdk.Error{Code: sdk.CodeConflict, Op: "launch " + spec.ContainerID, Field: "container_id",
			Message: "was launched before; a launch is never done twice"}
	}
	if err != nil {
		m.remove()
		return nil, &LaunchError{Step: "make the launch marker", Path: path, Err: err}
	}
	m.path = path
	return m, nil
}

// pidWord is where the kernel shall write the pid.
func (m *marker) pidWord() uintptr { return uintptr(unsafe.Pointer(&m.page[offPID])) }

// name stores what is known once the child exists.
func (m *marker) name(p sdk.Process) error {
	var b [20]byte
	le.PutUint32(b[0:], uint32(p.PID))
	le.PutUint64(b[8:], p.StartTime)
	le.PutUint32(b[16:], sum(b[:16]))
	if _, err := m.file.WriteAt(b[0:4], offPID); err != nil {
		return err
	}
	_, err := m.file.WriteAt(b[8:20], offStart)
	return err
}

func (m *marker) close() {
	if m.page != nil {
		_ = unix.Munmap(m.page)
		m.page = nil
	}
	_ = m.file.Close()
}

// remove takes the launch back; for launches that never came to the program.
func (m *marker) remove() {
	m.close()
	_ = os.Remove(m.path)
}

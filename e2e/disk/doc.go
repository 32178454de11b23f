// Package disk is a file system that passes everything on to a folder, and whose fsync is
// slow or fails when a story says so. A fsync that fails has written nothing, and, as on a
// real one, the system takes that for written: it can be read, and no later fsync writes it.
// PowerLoss brings the folder's files to what is on the disk, which is what a machine finds
// that starts anew. So it tells whether a program had promised something on
// the word of a disk that did not keep it.
//
// It owns one FUSE mount (root and /dev/fuse; no helper program), and the memory of what
// was written since the last fsync of the files that it is told to follow. It forgets no
// names: a file that was made, renamed or removed stays so. It knows nothing of Proffer.
//
// All methods may be called by any goroutine, PowerLoss while nobody has a file open that
// is followed. The goroutines that answer the kernel end when the mount is gone, and that
// goes with its mount namespace.
package disk

package checkpoint

// FS is all that the log needs of a file system.
type FS interface{}

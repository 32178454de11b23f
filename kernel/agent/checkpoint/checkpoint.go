package checkpoint

// Record is one durable fact. Type and Version belong to whoever wrote it; the
// file's own format has a version of its own.
type Record struct {
	Type    uint16
	Version uint16
	Data    []byte
}

// Options say where the log lives and what its reader knows.
type Options struct {
	Dir  string // made when it is missing, 0700
	Name string // base name of the files, such as "ledger"
	FS   FS     // nil means the real one

	// MaxVersion is the newest version that the reader knows of a record type. A
	// newer one is refused by name. Nil accepts all.
	MaxVersion func(recordType uint16) uint16
}

// Recovered is what Open found.
type Recovered struct {
	Records []Record
	Torn    *Torn // nil when the file ended cleanly
}

// Torn is an end of the file that was being written when power went: it was never
// promised to anyone, and has been cut off.
type Torn struct {
	File   string
	Offset int64
	Bytes  int64
}

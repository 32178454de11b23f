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

	// Salvage goes on with what can be read of a damaged file, where anything can: the
	// file is copied to NAME.damaged first. Without it damage is an error.
	Salvage bool
}

// Recovered is what Open found.
type Recovered struct {
	Records []Record
	Torn    *Torn    // nil when the file ended cleanly
	Damaged []Damage // with Options.Salvage: what is lost; the file still has it until a Compact
	Copy    string   // of the damaged file
}

// Damage is a part of a file that had been durable and can not be read any more.
type Damage struct {
	Offset, Bytes int64
}

// Torn is an end of the file that was being written when power went: it was never
// promised to anyone, and has been cut off.
type Torn struct {
	File   string
	Offset int64
	Bytes  int64
}

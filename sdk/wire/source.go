package wire

// frame is where a source stands in a message, list or map. The walker carries it
// along, so that no source needs a stack.
type frame struct {
	left int // what is left of it: a count in msgpack, the end of the window in protobuf
	more int // JSON: 1 after the first member; protobuf: the window outside
}

// source is a token back end that reads. Errors are *sdk.Error without a path.
type source interface {
	// begin enters a message; next finds its next known field, or nil at its end.
	// Unknown fields are skipped, depth says how deep the message is.
	begin() (frame, error)
	next(fr frame, p *plan, depth int) (*field, frame, error)
	// null consumes the token that means absent, if it comes next.
	null() (bool, error)

	// beginList enters a list, or stands before the only element of one. count is
	// how many elements there are, if that is known.
	beginList(f *field) (fr frame, count int, err error)
	element(fr frame) (ok bool, _ frame, err error)
	// gathers says that a field may come several times, which adds to what is there.
	gathers() bool

	// beginTable enters a map; key finds the key of the next entry, whose value
	// follows if there is one (protobuf may leave it out), endEntry leaves the entry.
	beginTable() (frame, error)
	key(fr frame, f *field) (key string, value, ok bool, _ frame, err error)
	endEntry(fr frame, depth int) (frame, error)

	readBool() (bool, error)
	// readInteger gives an integer as 64 bits: two's complement when neg.
	readInteger(f *field) (v uint64, neg bool, err error)
	readFloat() (float64, error)
	// readString gives bytes that are valid until the next token.
	readString(wrapped bool, depth int) ([]byte, error)
	readBytes() ([]byte, error)
	// readEnum gives the name, or "" when the number or name is unknown.
	readEnum(t *enumTable) (string, error)
}

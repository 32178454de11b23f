package sdk

// The ids of the protocol are distinct string types: one can not be passed for
// another. On the JSON and protobuf wire each is the message {"value": "…"}.
type (
	// FrameworkID names a framework for its whole life, failovers included.
	FrameworkID string
	// OfferID names one offer; it is never used twice.
	OfferID string
	// AgentID names an agent, restarts of its process included.
	AgentID string
	// TaskID is chosen by the framework and unique among its tasks for ever.
	TaskID string
	// ExecutorID is chosen by the framework and unique on one agent.
	ExecutorID string
	// OperationID is chosen by the framework that wants feedback on an operation.
	OperationID string
	// ResourceProviderID names a provider of resources on an agent.
	ResourceProviderID string
)

// EnumValue is one name of an enumeration with its protobuf number.
type EnumValue struct {
	Name   string
	Number int32
}

// MaxIDLength is the longest id that a framework may choose, in bytes.
const MaxIDLength = 255

// ValidateID refuses an id that could not safely become a path, a cgroup or a
// label: empty, longer than MaxIDLength bytes, "." or "..", with a slash, a
// backslash, or a control character (the rule of Mesos for client-made ids).
// field is the path of the field that the error names.
func ValidateID[T ~string](field string, id T) error {
	s := string(id)
	switch {
	case s == "":
		return Errorf(CodeInvalid, field, "must not be empty")
	case len(s) > MaxIDLength:
		return Errorf(CodeInvalid, field, "is %d bytes long, at most %d are allowed", len(s), MaxIDLength)
	case s == "." || s == "..":
		return Errorf(CodeInvalid, field, "must not be %q", s)
	}
	for i, r := range s {
		if r == '/' || r == '\\' || r < ' ' || r == 0x7f || r == '\uFFFD' {
			return Errorf(CodeInvalid, field, "has the character %q at byte %d; slashes, backslashes and control characters are not allowed", r, i)
		}
	}
	return nil
}

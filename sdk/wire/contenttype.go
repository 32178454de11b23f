package wire

import (
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// The names by which HTTP headers speak of messages.
const (
	ContentTypeMsgpack  = "application/x-msgpack"
	ContentTypeJSON     = "application/json"
	ContentTypeProtobuf = "application/x-protobuf"
	ContentTypeRecordIO = "application/recordio"

	// HeaderMessageContentType names the encoding inside application/recordio.
	HeaderMessageContentType = "Message-Content-Type"
)

// ContentType is the media type of a message in this encoding, without parameters:
// Mesos's clients compare it byte for byte.
func (e Encoding) ContentType() string {
	switch e {
	case JSON:
		return ContentTypeJSON
	case Protobuf:
		return ContentTypeProtobuf
	}
	return ContentTypeMsgpack
}

// ParseContentType finds the encoding that a Content-Type names. Parameters such
// as "; charset=utf-8" and letter case do not matter. An empty one is refused with
// CodeInvalid (400), another type with CodeUnsupported (415).
func ParseContentType(s string) (Encoding, error) {
	switch mediaType(s) {
	case ContentTypeMsgpack:
		return Msgpack, nil
	case ContentTypeJSON:
		return JSON, nil
	case ContentTypeProtobuf:
		return Protobuf, nil
	case "":
		return 0, sdk.Errorf(sdk.CodeInvalid, "Content-Type", "must be present: %s, %s or %s",
			ContentTypeJSON, ContentTypeProtobuf, ContentTypeMsgpack)
	}
	return 0, sdk.Errorf(sdk.CodeUnsupported, "Content-Type", "%q is none of %s, %s and %s",
		s, ContentTypeJSON, ContentTypeProtobuf, ContentTypeMsgpack)
}

// ParseAccept chooses the encoding of an answer from the lines of the Accept
// header. All lines count, since some clients send it twice. JSON comes first
// where it is acceptable, then protobuf, then msgpack; no header accepts all. ok
// is false when none is acceptable, which HTTP answers with 406.
func ParseAccept(lines []string) (e Encoding, ok bool) {
	if len(lines) == 0 {
		return JSON, true
	}
	accepted := map[string]bool{}
	for _, part := range strings.Split(strings.Join(lines, ","), ",") {
		if part = strings.ToLower(strings.TrimSpace(part)); part != "" {
			accepted[mediaType(part)] = !refused(part)
		}
	}
	if len(accepted) == 0 {
		return JSON, true
	}
	for _, e := range []Encoding{JSON, Protobuf, Msgpack} {
		for _, name := range []string{e.ContentType(), "application/*", "*/*"} {
			if yes, named := accepted[name]; named {
				if yes {
					return e, true
				}
				break
			}
		}
	}
	return 0, false
}

// refused says whether a part of Accept has the quality zero.
func refused(part string) bool {
	_, q, ok := strings.Cut(part, "q=")
	return ok && strings.Trim(strings.TrimSpace(q), "0.") == ""
}

// mediaType is a media type without parameters, in lower case.
func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}

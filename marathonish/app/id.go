package app

import (
	"slices"
	"strings"
)

// ID is the absolute path of an app, such as /shop/web.
type ID string

// maxIDLength leaves room for "." and a uuid in a task's id, in bytes.
const maxIDLength = 210

// Resolve makes an absolute path of what a client wrote: a leading slash may be
// missing, slashes may be doubled, "." and ".." mean what they mean elsewhere. The
// result may still be no valid ID.
func Resolve(s string) ID {
	var parts []string
	for part := range strings.SplitSeq(s, "/") {
		switch {
		case part == "" || part == ".":
		case part == "..":
			parts = parts[:max(0, len(parts)-1)]
		default:
			parts = append(parts, part)
		}
	}
	return ID("/" + strings.Join(parts, "/"))
}

// Group is the folder that the app stands in; "/" at the top.
func (id ID) Group() ID {
	if i := strings.LastIndexByte(string(id), '/'); i > 0 {
		return id[:i]
	}
	return "/"
}

// Under tells whether the app stands below a group, at any depth.
func (id ID) Under(group ID) bool {
	return group == "/" || strings.HasPrefix(string(id), string(group)+"/")
}

// TaskPrefix is what the ids of the app's tasks begin with, before the dot: an id has
// no underscore, so no two apps share one.
func (id ID) TaskPrefix() string {
	return strings.ReplaceAll(strings.TrimPrefix(string(id), "/"), "/", "_")
}

// problem is what is wrong with the id, or "".
func (id ID) problem() string {
	parts := strings.Split(strings.TrimPrefix(string(id), "/"), "/")
	last := parts[len(parts)-1]
	switch {
	case last == "":
		return "must name an app: / is the top group"
	case len(id) > maxIDLength:
		return "is longer than 210 bytes"
	case slices.Contains([]string{"restart", "tasks", "versions", ".", ".."}, last):
		return "must not end with /restart, /tasks, /versions, /. or /.."
	}
	for _, part := range parts {
		if !validSegment(part) {
			return "may have lower-case letters, digits, hyphens and dots only, and each part must begin and end with a letter or digit"
		}
	}
	return ""
}

// validSegment accepts labels of letters, digits and inner hyphens, joined by dots.
func validSegment(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }) {
			return false
		}
	}
	return true
}

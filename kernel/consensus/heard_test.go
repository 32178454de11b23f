package consensus

import (
	"testing"

	"github.com/hashicorp/raft"
)

// TestHeard: a majority of those who vote has answered what was sent after the question, in
// this term.
func TestHeard(t *testing.T) {
	voter := func(ids ...raft.ServerID) (all []raft.Server) {
		for _, id := range ids {
			all = append(all, raft.Server{ID: id, Suffrage: raft.Voter})
		}
		return all
	}
	learner := raft.Server{ID: "new", Suffrage: raft.Nonvoter}
	const term, question = 7, 20
	for name, row := range map[string]struct {
		voters []raft.Server
		said   map[raft.ServerID]confirmation
		want   bool
	}{
		"alone":                         {voters: voter("me"), want: true},
		"alone, beside one that learns": {voters: append(voter("me"), learner), want: true},
		"nobody has answered":           {voters: voter("me", "a", "b")},
		"one of three has":              {voters: voter("me", "a", "b"), said: map[raft.ServerID]confirmation{"a": {term, 21}}, want: true},
		"to what was sent before":       {voters: voter("me", "a", "b"), said: map[raft.ServerID]confirmation{"a": {term, 20}, "b": {term, 3}}},
		"in another term":               {voters: voter("me", "a", "b"), said: map[raft.ServerID]confirmation{"a": {term - 1, 21}, "b": {term + 1, 22}}},
		"only one that learns":          {voters: append(voter("me", "a", "b"), learner), said: map[raft.ServerID]confirmation{"new": {term, 21}}},
		"one of four is no majority":    {voters: voter("me", "a", "b", "c"), said: map[raft.ServerID]confirmation{"a": {term, 21}}},
		"two of four":                   {voters: voter("me", "a", "b", "c"), said: map[raft.ServerID]confirmation{"a": {term, 21}, "b": {term, 22}}, want: true},
		"it has no vote itself":         {voters: voter("a", "b"), said: map[raft.ServerID]confirmation{"a": {term, 21}}},
		"one that has left":             {voters: voter("me", "b"), said: map[raft.ServerID]confirmation{"a": {term, 21}}},
	} {
		h := &heard{from: map[raft.ServerID]confirmation{}}
		for id, c := range row.said {
			h.note(id, c)
			h.note(id, confirmation{c.term, 1}) // an old one comes late
		}
		got, more := h.of(row.voters, "me", term, question)
		if got != row.want || got == (more != nil) {
			t.Errorf("%s: %t, and there is more to wait for: %t", name, got, more != nil)
		}
		if more == nil {
			continue
		}
		h.note("z", confirmation{term, 30})
		select {
		case <-more:
		default:
			t.Errorf("%s: an answer wakes nobody", name)
		}
	}
}

package executor

import (
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// An answer counts though the launcher closes the connection right behind it, as at its
// shutdown and its upgrade: whoever looks late sees both at once.
func TestAnAnswerBeforeTheCloseCounts(t *testing.T) {
	l := &Launcher{done: make(chan struct{})}
	close(l.done)
	for range 100 {
		answer := make(chan *LauncherReply, 1)
		answer <- &LauncherReply{ID: 7}
		if r, err := l.await(t.Context(), answer); err != nil || r.ID != 7 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if _, err := l.await(t.Context(), make(chan *LauncherReply)); sdk.CodeOf(err) != sdk.CodeUnavailable {
		t.Errorf("without an answer: %v", err)
	}
}

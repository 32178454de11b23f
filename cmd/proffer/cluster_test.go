package main

import (
	"strings"
	"testing"
)

// An even number of masters is told, with what it can lose.
func TestOddAdvice(t *testing.T) {
	for voters, want := range map[int]string{0: "", 1: "", 3: "", 5: "", 2: "no more of them than 1 could (0)", 4: "no more of them than 3 could (1)"} {
		if got := oddAdvice(voters); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%d masters: %q", voters, got)
		}
	}
}

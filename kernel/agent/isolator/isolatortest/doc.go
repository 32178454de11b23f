// Package isolatortest is the test that every isolator passes: preparing, undoing,
// doing it again, ending processes, finding what a crash has left.
//
// It owns the contract's tests, no isolator. Only tests import it.
package isolatortest

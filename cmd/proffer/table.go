package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/profferhq/proffer/sdk"
)

// table prints aligned columns without borders, so that grep and awk can read them. A cell
// is one line, whatever is in it.
func table(w io.Writer, head []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(head, "\t"))
	for _, r := range rows {
		for i, cell := range r {
			if r[i] = shown(cell); cell == "" {
				r[i] = "-"
			}
		}
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	return t.Flush()
}

// shown is text of others as one line of a terminal: what would do something there, such
// as an escape or the end of the line, is written as in Go, and does nothing.
func shown(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, sdk.Unshowable) {
		return text
	}
	var b strings.Builder
	for i, n := 0, 0; i < len(text); i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case sdk.Unshowable(r):
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		default:
			b.WriteString(text[i : i+n])
		}
	}
	return b.String()
}

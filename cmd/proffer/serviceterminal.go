package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// width is how many columns a terminal has; 0 for what is no terminal.
func width(w any) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	switch {
	case err != nil:
		return 0
	case size.Col == 0:
		return 80 // a terminal that does not know
	}
	return int(size.Col)
}

// display shows how something goes on: on a terminal as one picture that is drawn anew,
// elsewhere as plain lines of what is new.
type display struct {
	to    io.Writer
	wide  int // 0: no terminal
	drawn int // lines of the picture
	last  string
	plain *progress
}

func newDisplay(to io.Writer) *display {
	return &display{to: to, wide: width(to), plain: newProgress()}
}

func (d *display) show(s snapshot) {
	if d.wide == 0 {
		for _, line := range d.plain.lines(s) {
			fmt.Fprintln(d.to, line)
		}
		return
	}
	lines := board(s)
	for i := range lines {
		lines[i] = cut(lines[i], d.wide-1)
	}
	picture := strings.Join(lines, "\n")
	if picture == d.last {
		return
	}
	fmt.Fprint(d.to, redraw(d.drawn, lines))
	d.drawn, d.last = len(lines), picture
}

// redraw is what replaces a picture of so many lines by another.
func redraw(before int, lines []string) string {
	var b strings.Builder
	if before > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", before) // up
	}
	b.WriteString("\r\x1b[J") // what is below goes
	for _, l := range lines {
		b.WriteString(l)
		b.WriteByte('\n')
	}
	return b.String()
}

// cut shortens a line to so many characters.
func cut(line string, n int) string {
	if utf8.RuneCountInString(line) <= n {
		return line
	}
	return string([]rune(line)[:max(n-1, 0)]) + "…"
}

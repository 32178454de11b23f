// Package words plays the word count of configs/examples/jobs on a cluster, as its README
// tells a user to: it creates the jobs, starts the first, kills one mapper, and compares
// what comes out with a count of its own. It owns the text and the files in the directory
// that it is given, and never a cluster. One goroutine; the caller's context bounds it.
package words

package graph

import (
	"maps"
	"slices"

	"github.com/profferhq/proffer/chronosish/job"
)

// Tokens are those parents of a child that have succeeded since it last started, each
// with the id of the run that did (the last one). It is plain data, to be stored; the
// functions of this package never change one that they were given.
type Tokens map[string]string

// Releases tells whether the end of a run counts for the job's children: a success does,
// and for a job with softError a failure after which no attempt follows.
func Releases(j *job.Job, succeeded, final bool) bool {
	return succeeded || final && j.SoftError
}

// Release tells a child of a parent's run that counts. When with it all parents have
// succeeded since the child last started, start is true: the child starts now, causes
// are the runs, in the order of its parents, and no token is left. A child that is
// disabled loses its tokens likewise, and does not start. A run of what is no parent
// changes nothing.
func Release(child *job.Job, t Tokens, parent, run string) (left Tokens, causes []string, start bool) {
	left = Keep(child, t)
	if !slices.Contains(child.Parents, parent) {
		return left, nil, false
	}
	if left == nil {
		left = Tokens{}
	}
	left[parent] = run
	if len(left) < len(child.Parents) {
		return left, nil, false
	}
	if child.Disabled {
		return nil, nil, false
	}
	for _, p := range child.Parents {
		causes = append(causes, left[p])
	}
	return nil, causes, true
}

// Keep is a copy of the tokens of those that still are parents: when a child is
// defined anew it keeps them. It is nil for none.
func Keep(child *job.Job, t Tokens) Tokens {
	left := maps.Clone(t)
	maps.DeleteFunc(left, func(p, _ string) bool { return !slices.Contains(child.Parents, p) })
	if len(left) == 0 {
		return nil
	}
	return left
}

// Waiting are the parents that a child still waits for, sorted.
func Waiting(child *job.Job, t Tokens) []string {
	var list []string
	for _, p := range child.Parents {
		if _, ok := t[p]; !ok {
			list = append(list, p)
		}
	}
	return list
}
